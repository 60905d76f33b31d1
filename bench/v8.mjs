// SPDX-License-Identifier: Apache-2.0
// v8.mjs - runs a WASI preview1 program on node's V8, to be a peer of wasm-bench:
//   node --liftoff-only bench/v8.mjs [--dir=HOST::GUEST] [--env=NAME=VALUE] MODULE [ARGS…]
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens = {};
const env = {};
while (words.length && words[0].startsWith('--')) {
  const [, option, value] = /^--(dir|env)=(.*)$/s.exec(words.shift()) ?? [];
  const [, left, right] = (option === 'dir' ? /^(.*)::(.*)$/s : /^([^=]*)=(.*)$/s).exec(value ?? '') ?? [];
  if (left === undefined) throw new Error('usage: v8.mjs [--dir=HOST::GUEST] [--env=NAME=VALUE] MODULE [ARGS…]');
  if (option === 'dir') preopens[right] = left;
  else env[left] = right;
}
const [file, ...args] = words;
const wasi = new WASI({ version: 'preview1', args: [basename(file, '.wasm'), ...args], env, preopens, returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(file));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
process.exitCode = wasi.start(instance) ?? 0;
