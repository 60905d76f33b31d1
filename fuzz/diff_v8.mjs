// SPDX-License-Identifier: Apache-2.0
// Runs generated programs in V8 and compares with the oracle's answers, which exec_diff has already
// compared with the engine's.
//
//   node diff_v8.mjs EXEC_DIFF FROM..TO FOLDER     FOLDER takes the cases as JSON lines
//
// Ends with "N passed, M failed". What this V8 lacks is not generated, and said; nor are relaxed
// vector instructions, which may differ. NaNs compare by class. A case in which V8 runs out of stack
// is not compared further. What JavaScript has no values for (v128, exnref) passes small modules
// made here.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const FUEL = 120, CALL_DEPTH = 6; // as in diff.c and host.h
const MASK = (1n << 64n) - 1n;

// ---- what this V8 has

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const type = [1, 4, 1, 0x60, 0, 0], func = [3, 2, 1, 0];
const probes = [ // [feature bit of gen.h, V8 flags, a module]
  [1, [], [...type, ...func, 10, 6, 1, 4, 0, 0x12, 0, 0x0b]],
  [2, ['--experimental-wasm-extended-const'], [6, 9, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]],
  [4, ['--experimental-wasm-multi-memory'], [5, 5, 2, 0, 1, 0, 1]],
  [8, ['--experimental-wasm-typed-funcref', '--experimental-wasm-gc'],
    [...type, ...func, 4, 9, 1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b,
      10, 8, 1, 6, 0, 0xd0, 0, 0x14, 0, 0x0b]],
  [16, ['--experimental-wasm-memory64'], [5, 3, 1, 4, 1]],
  [32, ['--experimental-wasm-memory64'], [4, 4, 1, 0x70, 4, 1]],
  [64, [], [...type, ...func, 10, 23, 1, 21, 0, 0xfd, 12, ...Array(16).fill(0), 0x1a, 0x0b]],
  [256, ['--experimental-wasm-exnref'],
    [...type, ...func, 10, 8, 1, 6, 0, 0x1f, 0x40, 0, 0x0b, 0x0b]],
  [512, ['--experimental-wasm-legacy-eh'], [...type, ...func, 10, 7, 1, 5, 0, 6, 0x40, 0x0b, 0x0b]],
  [1024, [],
    [...type, ...func, 10, 11, 1, 9, 0, 6, 0x40, 0x0b, 0x1f, 0x40, 0, 0x0b, 0x0b]],
  [2048, [], [5, 4, 1, 3, 1, 1]],
  [4096, [], [1, 8, 1, 0x60, 2, 0x7e, 0x7e, 2, 0x7e, 0x7e, ...func,
    10, 10, 1, 8, 0, 0x20, 0, 0x20, 1, 0xfc, 0x15, 0x0b]],
  [8192, [], [5, 4, 1, 8, 1, 0]],
];
const featureNames = { 1: 'tail calls', 2: 'extended-const', 4: 'multi-memory', 8: 'func-refs',
  16: 'memory64', 32: 'table64', 64: 'simd', 128: 'relaxed-simd', 256: 'exceptions',
  512: 'legacy-exceptions', 1024: 'both kinds of exceptions', 2048: 'threads',
  4096: 'wide-arithmetic', 8192: 'custom-page-sizes' };

function findFeatures() {
  const known = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  let bits = 0;
  for (const [bit, flags, bytes] of probes) {
    for (const flag of flags) if (known.includes(`${flag} `)) setFlagsFromString(flag);
    if (WebAssembly.validate(new Uint8Array([...header, ...bytes]))) bits |= bit;
  }
  // V8 11 ends with a signal, or differs from later ones, in legacy exceptions and atomics.
  return parseInt(process.versions.v8, 10) < 12 ? bits & ~(512 | 1024 | 2048) : bits;
}

// ---- values: [letter, bits in hexadecimal]

const view = new DataView(new ArrayBuffer(8));
const externs = [null, { extern: 1 }, { extern: 2 }, { extern: 3 }, { extern: 4 }];

function f32Bits(v) {
  view.setFloat32(0, v);
  return Number.isNaN(v) ? 0x7fc00000n : BigInt(view.getUint32(0));
}
function f64Bits(v) {
  view.setFloat64(0, v);
  return Number.isNaN(v) ? 0x7ff8000000000000n : view.getBigUint64(0);
}

/** Bits with canonical NaNs. */
function toBits(letter, v) {
  switch (letter) {
    case 'i': return BigInt(v >>> 0);
    case 'I': return BigInt.asUintN(64, v);
    case 'f': return f32Bits(v);
    case 'F': return f64Bits(v);
    case 'e': return BigInt(externs.indexOf(v));
    default: return v === null ? 0n : 1n;
  }
}

function fromBits(letter, bits) {
  view.setBigUint64(0, bits);
  switch (letter) {
    case 'i': return view.getInt32(4);
    case 'I': return view.getBigInt64(0);
    case 'f': return view.getFloat32(4);
    case 'F': return view.getFloat64(0);
    default: return externs[Number(bits)];
  }
}

/** Set where the rest of a case says nothing. */
let cantCompare = false;
class Difference extends Error {}
class Exhausted extends Error {}

// ---- modules made here

/** unreachable: what a host function traps with, for exceptions of JavaScript may be caught. */
const trapper = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([...header, ...type,
  ...func, 7, 5, 1, 1, 0x66, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b])));
const hostTraps = new WeakSet();
function hostTrap() {
  try {
    trapper.exports.f();
  } catch (e) {
    hostTraps.add(e);
    throw e;
  }
}

const typeBytes = { i: 0x7f, I: 0x7e, f: 0x7d, F: 0x7c, V: 0x7b, r: 0x70, e: 0x6f, x: 0x69 };
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const list = (items) => [...leb(items.length), ...items.flat()];
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
/** v128 is two i64, low half first; exnref is null as an argument, and whether it is as a result. */
const paramLetters = { V: ['I', 'I'], x: [] }, resultLetters = { V: ['I', 'I'], x: ['i'] };
const bytesOf = (letters) => letters.map((c) => [typeBytes[c]]);

/** Code that brings the value of local `i` in JavaScript's form. */
function unwrapLocal(letter, i) {
  const get = [0x20, ...leb(i)];
  if (letter === 'V') return [...get, 0xfd, 29, 0, ...get, 0xfd, 29, 1];
  return letter === 'x' ? [...get, 0xd1] : get;
}

/** A module with function "f", which calls the imported one of this signature. */
function wrapper(signature) {
  const [params, results] = signature.split(':').map((s) => [...s]);
  const outer = params.flatMap((c) => paramLetters[c] ?? [c]);
  const code = [];
  let local = 0;
  for (const c of params) {
    if (c === 'V') code.push(0x20, local++, 0xfd, 18, 0x20, local++, 0xfd, 30, 1);
    else if (c === 'x') code.push(0xd0, 0x69);
    else code.push(0x20, local++);
  }
  code.push(0x10, 0);
  results.forEach((_, i) => code.push(0x21, local + results.length - 1 - i));
  results.forEach((c, i) => code.push(...unwrapLocal(c, local + i)));
  const outerResults = results.flatMap((c) => resultLetters[c] ?? [c]);
  const body = [...list(results.map((c) => [1, typeBytes[c]])), ...code, 0x0b];
  return new WebAssembly.Module(new Uint8Array([...header,
    ...section(1, list([[0x60, ...list(bytesOf(params)), ...list(bytesOf(results))],
      [0x60, ...list(bytesOf(outer)), ...list(bytesOf(outerResults))]])),
    ...section(2, [1, 1, 0x6d, 1, 0x66, 0, 0]), ...section(3, [1, 1]),
    ...section(7, [1, 1, 0x66, 0, 1]), ...section(10, list([[...leb(body.length), ...body]]))]));
}

/** Calls a function; v128 is a BigInt of 128 bits, exnref a boolean: is it null? */
function callWrapped(f, signature, args) {
  const [params, results] = signature.split(':').map((s) => [...s]);
  const flat = params.flatMap((c, i) => (c === 'x' ? [] : c === 'V'
    ? [BigInt.asIntN(64, args[i]), BigInt.asIntN(64, args[i] >> 64n)] : [args[i]]));
  const got = new WebAssembly.Instance(wrapper(signature), { m: { f } }).exports.f(...flat);
  const values = Array.isArray(got) ? got : [got];
  let at = 0;
  const out = results.map((c) => {
    if (c === 'x') return values[at++] === 1;
    if (c !== 'V') return values[at++];
    at += 2;
    return BigInt.asUintN(64, values[at - 2]) | BigInt.asUintN(64, values[at - 1]) << 64n;
  });
  return out.length === 1 ? out[0] : out;
}

/** The value of a global that JavaScript can't read. */
function readGlobal(g, letter, isMutable) {
  const body = [1, 1, typeBytes[letter], 0x23, 0, 0x21, 0, ...unwrapLocal(letter, 0), 0x0b];
  const made = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([...header,
    ...section(1, list([[0x60, 0, ...list(bytesOf(resultLetters[letter]))]])),
    ...section(2, [1, 1, 0x6d, 1, 0x67, 3, typeBytes[letter], isMutable]), ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), ...section(10, list([[...leb(body.length), ...body]]))])),
  { m: { g } });
  const v = made.exports.f();
  if (letter === 'x') return v === 1;
  return BigInt.asUintN(64, v[0]) | BigInt.asUintN(64, v[1]) << 64n;
}

// ---- the host of host.c

const hostNames = ['nop', 'step', 'mix', 'swap', 'floats', 'refs', 'many', 'trap', 'call'];
const hostSignatures = [':', 'i:i', 'iIfF:I', 'iI:Ii', 'fF:Ff', 're:er', 'iIfFiIfF:FfIiFfIi', 'i:',
  'ri:i'];
const hostGlobals = [['i32', false, 3], ['i64', false, 5n], ['i32', true, -0x80000000],
  ['i64', true, 0x123456789abcdef0n], ['f64', true, -3], ['externref', false, externs[2]]];

class Host {
  trace = 0n;
  calls = 0;
  depth = 0;
  labels = new Map(); // function -> "MODULE:INDEX" or "h:INDEX"
  signatures = new Map(); // label -> signature

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: 3 });
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: 6, maximum: 12 });
    this.imports = { memory: this.memory, table: this.table };
    hostGlobals.forEach(([value, mutable, init], i) => {
      this.imports[`g${i}`] = new WebAssembly.Global({ value, mutable }, init);
    });
    hostNames.forEach((name, i) => {
      this.imports[name] = (...args) => this.run(i, args);
      this.signatures.set(`h:${i}`, hostSignatures[i]);
    });
  }

  note(value) {
    for (let i = 0n; i < 64n; i += 8n)
      this.trace = ((this.trace ^ (value >> i & 0xffn)) * 0x100000001b3n) & MASK;
  }

  run(f, args) {
    const [params, results] = hostSignatures[f].split(':');
    this.note(BigInt(f));
    this.calls++;
    args.forEach((v, i) => this.note(toBits(params[i], v)));
    switch (hostNames[f]) {
      case 'step': return Math.imul(args[0], 2654435761) + this.calls | 0;
      case 'mix': return BigInt.asIntN(64, this.trace);
      case 'swap': case 'floats': case 'refs': case 'many': return args.reverse();
      case 'trap':
        if ((args[0] & 7) === 7) hostTrap();
        return undefined;
      case 'call': return this.callBack(args[0], args[1]);
      default: return results ? 0 : undefined;
    }
  }

  callBack(f, arg) {
    // A start function's own: which function it is, is known after it.
    if (f !== null && !this.labels.has(f)) cantCompare = true;
    if (f === null || this.signatures.get(this.labels.get(f)) !== 'i:i') return arg;
    if (this.depth >= CALL_DEPTH) return arg;
    this.depth++;
    try {
      return f(arg);
    } catch (e) {
      if (trapsOf(e) === null) throw e; // an exception goes on through the host
      return hostTrap();
    } finally {
      this.depth--;
    }
  }
}

// ---- traps

const messages = [ // what V8 says, what the spec's tests say
  [/unreachable/, ['unreachable']],
  [/^memory access out of bounds|data segment.* out of bounds|segment.*memory/,
    // atomics check more than one thing, in an order that differs
    ['out of bounds memory access', 'expected shared memory', 'unaligned atomic']],
  [/\btable|element segment/, ['out of bounds table access', 'undefined element']],
  [/divide by zero|remainder by zero/, ['integer divide by zero']],
  [/divide result unrepresentable/, ['integer overflow']],
  [/float unrepresentable/, ['invalid conversion to integer', 'integer overflow']],
  [/null function or function signature|signature mismatch/,
    ['uninitialized element', 'indirect call type mismatch']],
  [/unaligned access/, ['unaligned atomic']],
  [/Atomics.wait/, ['expected shared memory']],
  [/rethrowing null value/, ['null exception reference']],
  [/null pointer|null reference|type incompatibility/, ['null reference', 'null function reference']],
];

/** The spec's messages for what was thrown; null: no trap at all. */
function trapsOf(e) {
  if (hostTraps.has(e)) return ['host function failed'];
  if (e instanceof RangeError) throw new Exhausted();
  if (!(e instanceof WebAssembly.RuntimeError)) return null;
  const message = e.message.replace(/^WebAssembly\.Instance\(\): /, '');
  for (const [pattern, names] of messages) if (pattern.test(message)) return names;
  throw new Difference(`unknown trap "${e.message}"`);
}

/** Runs `fn`; compares how it ends. `step` says how it should. */
function attempt(where, step, fn) {
  const { trap } = step;
  let value;
  try {
    value = fn();
  } catch (e) {
    if (trap === 'exception' && e instanceof WebAssembly.Exception)
      return { trapped: true, exception: e };
    const names = e instanceof WebAssembly.Exception ? ['an exception'] : trapsOf(e);
    if (names === null) throw e;
    if (!names.includes(trap)) throw new Difference(`${where}: ${e.message || names}, oracle: ${trap}`);
    return { trapped: true };
  }
  if (trap !== null) throw new Difference(`${where}: fine, oracle: ${trap}`);
  return { trapped: false, value };
}

// ---- cases

function isNan32(x) { return (x & 0x7fffffffn) > 0x7f800000n; }
function isNan64(x) { return (x & MASK >> 1n) > 0x7ff0000000000000n; }

/** Open lanes are NaNs, all others are the same. */
function sameVector(want, open, v) {
  for (let i = 0; i < 4; i++) {
    const at = BigInt(32 * i), a = want >> at & 0xffffffffn, b = v >> at & 0xffffffffn;
    const wide = v >> BigInt(64 * (i >> 1)) & MASK;
    if (open & 1 << i ? !isNan32(b) : open & 16 << (i >> 1) ? !isNan64(wide) : a !== b) return false;
  }
  return true;
}

function same(host, [letter, bits, open], v) {
  if (letter === 'V') return sameVector(BigInt(`0x${bits}`), open, v);
  if (letter === 'x') return (bits === 'null') === v;
  if (letter !== 'r') {
    let want = BigInt(`0x${bits}`);
    if (letter === 'f' || letter === 'F') want = toBits(letter, fromBits(letter, want));
    return want === toBits(letter, v);
  }
  if (bits === 'null' || v === null) return bits === 'null' && v === null;
  const label = host.labels.get(v);
  return label === undefined || label === bits;
}

function labelFunctions(host, module, instance, number, signatures) {
  const imports = WebAssembly.Module.imports(module).filter((i) => i.kind === 'function');
  signatures.forEach((signature, i) => {
    const f = instance.exports[`f${i}`];
    if (i >= imports.length) {
      host.labels.set(f, `${number}:${i}`);
      host.signatures.set(`${number}:${i}`, signature);
    } else if (imports[i].module === 'host') {
      host.labels.set(f, `h:${hostNames.indexOf(imports[i].name)}`);
    }
  });
}

function findFunction(host, instances, bits) {
  const [module, index] = bits.split(':');
  if (module !== 'h') return instances[module].exports[`f${index}`];
  for (const [f, label] of host.labels) if (label === bits) return f;
  throw new Error(`no function ${bits}`);
}

/** The tag, and the values that JavaScript can read. */
function compareException(host, instances, where, step, e) {
  const tag = instances[step.tag[0]].exports[`x${step.tag[1]}`];
  if (!e.is(tag)) throw new Difference(`${where}: another tag`);
  step.results.forEach((want, i) => {
    if (want[0] !== 'V' && want[0] !== 'x' && !same(host, want, e.getArg(tag, i)))
      throw new Difference(`${where}: value ${i} is ${e.getArg(tag, i)}, oracle ${want}`);
  });
}

function call(host, instances, step, state) {
  const args = step.args.map(([letter, bits]) => {
    if (letter === 'V') return BigInt(`0x${bits}`);
    if (letter === 'x') return null;
    if (letter !== 'r') return fromBits(letter, BigInt(`0x${bits}`));
    return bits === 'null' ? null : findFunction(host, instances, bits);
  });
  for (const instance of instances) instance.exports.fuel.value = FUEL;
  const where = `call of ${step.m}:${step.f}`;
  const f = instances[step.m].exports[step.f];
  const signature = state[step.m].sigs[Number(step.f.slice(1))];
  const end = attempt(where, step, () => (/[Vx]/.test(signature) ? callWrapped(f, signature, args)
    : f(...args)));
  if (end.exception) compareException(host, instances, where, step, end.exception);
  if (end.trapped) return;
  const results = step.results.length === 1 ? [end.value] : end.value ?? [];
  step.results.forEach((want, i) => {
    if (!same(host, want, results[i]))
      throw new Difference(`${where}: result ${i} is ${results[i]}, oracle ${want}`);
  });
}

function hash(bytes) {
  let h = 2166136261;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 16777619);
  return h >>> 0;
}

function compareTable(host, where, want, table) {
  const wide = typeof table.length === 'bigint';
  if (Number(table.length) !== want.length)
    throw new Difference(`${where}: ${table.length} elements, oracle ${want.length}`);
  want.forEach((value, i) => {
    if (value[0] === 'x') return; // JavaScript may not look at it
    if (!same(host, value, table.get(wide ? BigInt(i) : i)))
      throw new Difference(`${where}: element ${i}, oracle ${value}`);
  });
}

function compareState(host, instance, number, state) {
  for (const [name, want] of Object.entries(state)) {
    const item = instance.exports[name], where = `end: ${number}:${name}`;
    if (name[0] === 'm') {
      const bytes = new Uint8Array(item.buffer);
      if (bytes.length !== want[0] * 65536 || hash(bytes) !== want[1])
        throw new Difference(`${where}: other memory, ${bytes.length / 65536} pages`);
    } else if (name[0] === 't') {
      compareTable(host, where, want, item);
    } else if (name[0] === 'g') {
      const wrapped = want[0] === 'V' || want[0] === 'x';
      const value = wrapped ? readGlobal(item, want[0], state.vars[Number(name.slice(1))])
        : item.value;
      if (!same(host, want, value))
        throw new Difference(`${where} is ${value}, oracle ${want}`);
    }
  }
}

function run(c) {
  const host = new Host(), instances = [];
  cantCompare = false;
  c.modules.forEach((hex, i) => {
    if (!c.steps[i]) return;
    const module = new WebAssembly.Module(Buffer.from(hex, 'hex'));
    const imports = { host: host.imports, a: instances[0]?.exports ?? {} };
    const end = attempt(`instance ${i}`, c.steps[i],
      () => new WebAssembly.Instance(module, imports));
    if (end.trapped) return;
    instances.push(end.value);
    labelFunctions(host, module, end.value, i, c.state[i].sigs);
  });
  for (const step of c.steps) if (step?.f) call(host, instances, step, c.state);
  instances.forEach((instance, i) => compareState(host, instance, i, c.state[i]));
  if (host.trace.toString(16) !== c.trace) throw new Difference('the host was called otherwise');
}

/** --oracle before all: cases that no engine of ours has run. */
function main(args) {
  const oracle = args[0] === '--oracle' ? args.splice(0, 1) : [];
  const [program, range, folder] = args;
  const everywhere = oracle.length ? 16384 : 0;
  const features = findFeatures(), cases = `${folder}/v8-cases.jsonl`;
  const count = { passed: 0, failed: 0, exhausted: 0 };
  mkdirSync(folder, { recursive: true });
  const out = openSync(cases, 'w');
  const made = spawnSync(program, [...oracle, '--features', String(features | everywhere), '--json', range],
    { stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  if (made.status !== 0) throw new Error(`${program} failed`);
  for (const line of readFileSync(cases, 'utf8').split('\n')) {
    if (line === '') continue;
    const c = JSON.parse(line);
    try {
      run(c);
      count.passed++;
    } catch (e) {
      if (e instanceof Exhausted || cantCompare) {
        count.exhausted++;
        continue;
      }
      count.failed++;
      console.log(`seed ${c.seed}: ${e instanceof Difference ? e.message : e.stack}`);
    }
  }
  const lacks = Object.keys(featureNames).filter((bit) => !(features & bit));
  console.log(`V8 ${process.versions.v8}, ${count.exhausted} not to the end; SKIPPED, for V8 has ` +
    `no such or may differ: ${lacks.map((bit) => featureNames[bit]).join(', ')}`);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed > 0 || count.passed === 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
