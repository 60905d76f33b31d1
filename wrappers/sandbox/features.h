/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - the features document of the OCI runtime specification. */
#ifndef WRAPPERS_SANDBOX_FEATURES_H
#define WRAPPERS_SANDBOX_FEATURES_H

/** JSON, the caller's to free; NULL: no memory. What Wasm containers can: a Linux runtime may know
 * more, but that is not what was installed. Any thread. */
char *wrap_features_json(void);

#endif
