#pragma once
#include <stdint.h>
void stamp(const char *name);
void stamp_dump(void);
void stamp_init(void);void guard_trick(void);
