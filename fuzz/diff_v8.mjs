// SPDX-License-Identifier: Apache-2.0
// Runs generated programs in V8 and compares with the oracle's answers, which exec_diff has already
// compared with the engine's.
//
//   node diff_v8.mjs EXEC_DIFF FROM..TO FOLDER     FOLDER takes the cases as JSON lines
//
// Ends with "N passed, M failed". What this V8 lacks is not generated. NaNs compare by class. A
// case in which V8 runs out of stack is not compared further.
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
];

function findFeatures() {
  const known = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  let bits = 0;
  for (const [bit, flags, bytes] of probes) {
    for (const flag of flags) if (known.includes(`${flag} `)) setFlagsFromString(flag);
    if (WebAssembly.validate(new Uint8Array([...header, ...bytes]))) bits |= bit;
  }
  return bits;
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

class HostTrap extends Error {}
class Difference extends Error {}
class Exhausted extends Error {}

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
        if ((args[0] & 7) === 7) throw new HostTrap();
        return undefined;
      case 'call': return this.callBack(args[0], args[1]);
      default: return results ? 0 : undefined;
    }
  }

  callBack(f, arg) {
    if (f === null || this.signatures.get(this.labels.get(f)) !== 'i:i') return arg;
    if (this.depth >= CALL_DEPTH) return arg;
    this.depth++;
    try {
      return f(arg);
    } catch (e) {
      if (trapsOf(e) === null) throw e;
      throw new HostTrap();
    } finally {
      this.depth--;
    }
  }
}

// ---- traps

const messages = [ // what V8 says, what the spec's tests say
  [/unreachable/, ['unreachable']],
  [/^memory access out of bounds|data segment.* out of bounds|segment.*memory/,
    ['out of bounds memory access']],
  [/\btable|element segment/, ['out of bounds table access', 'undefined element']],
  [/divide by zero|remainder by zero/, ['integer divide by zero']],
  [/divide result unrepresentable/, ['integer overflow']],
  [/float unrepresentable/, ['invalid conversion to integer', 'integer overflow']],
  [/null function or function signature|signature mismatch/,
    ['uninitialized element', 'indirect call type mismatch']],
  [/null pointer|null reference|type incompatibility/, ['null reference', 'null function reference']],
];

/** The spec's messages for what was thrown; null: no trap at all. */
function trapsOf(e) {
  if (e instanceof HostTrap) return ['host function failed'];
  if (e instanceof RangeError) throw new Exhausted();
  if (!(e instanceof WebAssembly.RuntimeError)) return null;
  const message = e.message.replace(/^WebAssembly\.Instance\(\): /, '');
  for (const [pattern, names] of messages) if (pattern.test(message)) return names;
  throw new Difference(`unknown trap "${e.message}"`);
}

/** Runs `fn`; compares how it ends. */
function attempt(where, trap, fn) {
  let value;
  try {
    value = fn();
  } catch (e) {
    const names = trapsOf(e);
    if (names === null) throw e;
    if (!names.includes(trap)) throw new Difference(`${where}: ${e.message}, oracle: ${trap}`);
    return { trapped: true };
  }
  if (trap !== null) throw new Difference(`${where}: fine, oracle: ${trap}`);
  return { trapped: false, value };
}

// ---- cases

function same(host, [letter, bits], v) {
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

function call(host, instances, step) {
  const args = step.args.map(([letter, bits]) => {
    if (letter !== 'r') return fromBits(letter, BigInt(`0x${bits}`));
    return bits === 'null' ? null : findFunction(host, instances, bits);
  });
  for (const instance of instances) instance.exports.fuel.value = FUEL;
  const where = `call of ${step.m}:${step.f}`;
  const end = attempt(where, step.trap, () => instances[step.m].exports[step.f](...args));
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
    } else if (name[0] === 'g' && !same(host, want, item.value)) {
      throw new Difference(`${where} is ${item.value}, oracle ${want}`);
    }
  }
}

function run(c) {
  const host = new Host(), instances = [];
  c.modules.forEach((hex, i) => {
    if (!c.steps[i]) return;
    const module = new WebAssembly.Module(Buffer.from(hex, 'hex'));
    const imports = { host: host.imports, a: instances[0]?.exports ?? {} };
    const end = attempt(`instance ${i}`, c.steps[i].trap,
      () => new WebAssembly.Instance(module, imports));
    if (end.trapped) return;
    instances.push(end.value);
    labelFunctions(host, module, end.value, i, c.state[i].sigs);
  });
  for (const step of c.steps) if (step?.f) call(host, instances, step);
  instances.forEach((instance, i) => compareState(host, instance, i, c.state[i]));
  if (host.trace.toString(16) !== c.trace) throw new Difference('the host was called otherwise');
}

function main([program, range, folder]) {
  const features = findFeatures(), cases = `${folder}/v8-cases.jsonl`;
  const count = { passed: 0, failed: 0, exhausted: 0 };
  mkdirSync(folder, { recursive: true });
  const out = openSync(cases, 'w');
  const made = spawnSync(program, ['--features', String(features), '--json', range],
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
      if (e instanceof Exhausted) {
        count.exhausted++;
        continue;
      }
      count.failed++;
      console.log(`seed ${c.seed}: ${e instanceof Difference ? e.message : e.stack}`);
    }
  }
  console.log(`V8 ${process.versions.v8}, features ${features} of 63, ` +
    `${count.exhausted} without stack`);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed > 0 || count.passed === 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
