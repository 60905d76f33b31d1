#include "common/stamp.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <sys/resource.h>
static struct { long n; struct { const char *name; uint64_t t; long f; } a[500]; } *S;
void stamp_init(void){ if(getenv("WRAP_STAMPS")) S=mmap(0,sizeof *S,PROT_READ|PROT_WRITE,MAP_SHARED|MAP_ANONYMOUS|MAP_POPULATE,-1,0);}
void stamp(const char*name){ if(!S) return; long i=__atomic_fetch_add(&S->n,1,__ATOMIC_RELAXED); if(i>=500)return; S->a[i].name=name; struct rusage u={0}; if(getrusage(RUSAGE_SELF,&u)==0) S->a[i].f=u.ru_minflt; else S->a[i].f=-1; struct timespec t; clock_gettime(CLOCK_REALTIME,&t); S->a[i].t=t.tv_sec*1000000000ull+t.tv_nsec;}
void stamp_dump(void){ if(!S) return; FILE*f=fopen("/root/stamps.txt","a"); for(long i=0;f&&i<S->n&&i<500;i++) fprintf(f,"%s %ld %llu\n",S->a[i].name,S->a[i].f,(unsigned long long)S->a[i].t); if(f){fprintf(f,"END 0 0\n");fclose(f);} S->n=0;}
#include <string.h>
void guard_trick(void){ if(!getenv("GUARD")||!*getenv("GUARD")) return; FILE*f=fopen("/proc/self/maps","r"); char l[512]; FILE*o=fopen("/root/guard.txt","w"); int k=0; while(k<2&&fgets(l,sizeof l,f)){ unsigned long a,b; char p[8]; if(sscanf(l,"%lx-%lx %7s",&a,&b,p)!=3||!strstr(l,"shim")||p[1]==0x77) continue; k++; int r1=madvise((void*)(b-4096),4096,102); int r2=madvise((void*)(b-4096),4096,103); int r3=madvise((void*)a,b-a,22); fprintf(o,"%s -> %d %d %d %m\n",l,r1,r2,r3);} fclose(f); fclose(o);}
