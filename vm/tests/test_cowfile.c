/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files: nobody changes them, mappings are private, refusals leave zeroes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/cowfile.h"
#include "platform/vmem.h"

static void test_sealed_file_can_not_be_changed(void **state)
{
    (void)state;
    usize page = vm_page_bytes();
    int fd = vm_cowfile_new(2 * page);
    if (fd < 0) skip();
    assert_true(vm_cowfile_write(fd, page, "abc", 3));
    if (!vm_cowfile_seal(fd)) skip();
    assert_false(vm_cowfile_write(fd, page, "xyz", 3));
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(ftruncate(fd, (off_t)(4 * page)), 0);
    assert_true(mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    u8 *p = vm_reserve(4 * page);
    assert_non_null(p);
    assert_true(vm_commit(p, 4 * page));
    memset(p, 0xff, 4 * page);
    for (u32 i = 0; i < 2; i++) {
        assert_int_equal(vm_cowfile_map(fd, page, p + page, page), VM_COWFILE_MAPPED);
        assert_memory_equal(p + page, "abc", 3);
        assert_int_equal(p[page + 3], 0);
        memset(p + page, 1, page);
        assert_int_equal(p[page - 1], 0xff);
        assert_int_equal(p[2 * page], 0xff);
    }
    vm_cowfile_delete(fd);
    vm_release(p, 4 * page);
}

static void test_refused_mapping_leaves_zeroes_or_says_so(void **state)
{
    (void)state;
    usize page = vm_page_bytes();
    u8 *p = vm_reserve(2 * page);
    assert_non_null(p);
    assert_true(vm_commit(p, 2 * page));
    memset(p, 0xff, 2 * page);
    assert_int_equal(vm_cowfile_map(-1, 0, p, page), VM_COWFILE_ZEROED);
    assert_int_equal(p[0], 0);
    p[0] = 1;
    assert_int_equal(p[page], 0xff);
    assert_int_equal(vm_cowfile_map(-1, 0, p + 1, page), VM_COWFILE_LOST); /* not page-aligned */
    vm_release(p, 2 * page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_file_can_not_be_changed),
        cmocka_unit_test(test_refused_mapping_leaves_zeroes_or_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
