/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - lines for containerd's log, in the form that its own shims write (logrus's text). */
#ifndef WRAPPERS_SHIM_LOG_H
#define WRAPPERS_SHIM_LOG_H

#include <stdbool.h>

enum wrap_log_level { WRAP_LOG_DEBUG, WRAP_LOG_INFO, WRAP_LOG_WARNING, WRAP_LOG_ERROR };

/** From now on into the FIFO (or file) at `path`; what it has no room for is dropped. Debug lines
 * only with `debug`. */
void wrap_log_open(const char *path, bool debug);
/** One line about a container; `id` may be NULL. Control characters are escaped. */
void wrap_log(enum wrap_log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
