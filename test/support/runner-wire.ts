import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import * as v from 'valibot';
import { fromBase64Url } from '../../src/lib/crypto.ts';
import { nodeHashes, nodeRandom } from '../../src/lib/node/hashes.ts';
import { tokenTypes } from '../../src/protocol/credential.ts';
import {
  enrolAnswerSchema,
  formatSessionProof,
  macInput,
  sessionAnswerSchema,
  type EnrolAnswer,
  type SessionAnswer,
} from '../../src/protocol/enrol.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import type { CapacityReport } from '../../src/protocol/node-report.ts';
import { apiPrefix, protocolVersion } from '../../src/protocol/version.ts';
import {
  observedText,
  syncAnswerSchema,
  type Assignment,
  type Observation,
  type SyncAnswer,
  type SyncRequest,
} from '../../src/protocol/sync.ts';
import { bareEnd, type End } from '../../src/protocol/task-end.ts';
import type { Answer, Call } from './calls.ts';

/** Where a Runner is driven by hand: a whole Host, or one without server and loops. */
export interface Wire {
  call: Call;
  /** Host time as this Runner reckons it; the machine's clock unless given. */
  now?: () => number;
}

export interface NodeWish {
  name?: string;
  cpuMilli?: number;
  memoryBytes?: number;
  gpus?: readonly string[];
  labels?: Record<string, string>;
}

/** One Runner's end of the wire, without a loop: the test says what it sends and when. */
export interface WireRunner {
  node: NodeId;
  name: string;
  enrolled: EnrolAnswer;
  boot: string;
  /** What the last answer with `desired` asked for. */
  desired: Map<string, Assignment>;
  /** What it says to see now; `sync` sends its digest. */
  observed: Map<string, Observation>;
  /** A proof of its key, with whatever the test wants otherwise. */
  proof(other?: {
    claims?: JWTPayload;
    header?: Record<string, string>;
    key?: KeyObject;
    nowMs?: number;
  }): Promise<string>;
  beginSession(proof?: string): Promise<SessionAnswer>;
  /** One signed sync, told apart only by what the test gives. Throws where the Host refuses. */
  sync(more?: Partial<SyncRequest>): Promise<SyncAnswer>;
  /** The same, answered as it comes. */
  send(more?: Partial<SyncRequest>, breach?: Breach): Promise<Answer>;
  /** Reports one assignment in this state. */
  report(task: string, state: Observation['state'], more?: Partial<Observation>): Promise<SyncAnswer>;
  observation(task: string, state: Observation['state'], more?: Partial<Observation>): Observation;
  capacity: CapacityReport;
}

/** How a request breaks the rules. */
export interface Breach {
  seq?: number;
  /** Sent in place of the signed body. */
  body?: string;
  session?: SessionAnswer;
  mac?: string;
  path?: string;
}

const syncPath = `${apiPrefix}/runner/sync`;
const gibibyte = 1024 ** 3;

export async function joinToken({ call }: Wire, wanted: Record<string, unknown> = {}): Promise<string> {
  const answer = await call('POST', `${apiPrefix}/nodes/join-tokens`, wanted);
  return v.parse(v.object({ token: v.string() }), answer.body).token;
}

/** Enrols under this token with a fresh key. */
export async function enrolWith(
  wire: Wire,
  token: string,
  more: Record<string, unknown> = {},
): Promise<Answer & { key: KeyObject }> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const body = {
    protocol: protocolVersion,
    name: 'node',
    publicKey: publicKey.export({ format: 'jwk' })['x'],
    machineId: 'a-machine',
    tlsPin: null,
    ...more,
  };
  const answer = await wire.call('POST', `${apiPrefix}/runner/enrol`, body, { authorization: `Bearer ${token}` });
  return { ...answer, key: privateKey };
}

/** Enrols, begins a session and tells what the machine has. */
export async function joinRunner(wire: Wire, wish: NodeWish = {}): Promise<WireRunner> {
  const more = { name: wish.name ?? 'node', labels: wish.labels ?? {} };
  const answer = await enrolWith(wire, await joinToken(wire), more);
  if (answer.status !== 201) throw new Error(`not enrolled: ${answer.text}`);
  const runner = driveRunner(wire, { enrolled: v.parse(enrolAnswerSchema, answer.body), key: answer.key, wish });
  await runner.sync({ holdMs: 0, capacity: runner.capacity });
  return runner;
}

/** The end of an enrolled Runner; nothing is sent yet. */
export function driveRunner(
  wire: Wire,
  { enrolled, key, wish = {} }: { enrolled: EnrolAnswer; key: KeyObject; wish?: NodeWish },
): WireRunner {
  const now = wire.now ?? Date.now;
  let session: SessionAnswer | null = null;
  let seq = 0;
  let appliedGeneration = 0;
  const boot = Buffer.from(nodeRandom.bytes(9)).toString('base64url');
  const runner: WireRunner = {
    node: enrolled.node,
    name: enrolled.name,
    enrolled,
    boot,
    desired: new Map(),
    observed: new Map(),
    capacity: capacityOf(wish),
    proof: ({ claims = {}, header = {}, key: other = key, nowMs = now() } = {}) => {
      const made = { sub: enrolled.node, aud: enrolled.cluster, jti: randomText(), ...claims };
      const seconds = Math.floor(nowMs / 1000);
      return new SignJWT({ iat: seconds, exp: seconds + 60, ...made })
        .setProtectedHeader({ alg: 'EdDSA', typ: tokenTypes.node, ...header })
        .sign(other);
    },
    async beginSession(proof) {
      const sent = proof ?? (await runner.proof());
      const answer = await wire.call('POST', `${apiPrefix}/runner/session`, undefined, {
        authorization: `Bearer ${sent}`,
      });
      if (answer.status !== 201) throw new WireRefusal(answer);
      session = v.parse(sessionAnswerSchema, answer.body);
      seq = 0;
      return session;
    },
    async send(more = {}, breach = {}) {
      const under = breach.session ?? session ?? (await runner.beginSession());
      const request: SyncRequest = {
        protocol: protocolVersion,
        epoch: enrolled.epoch,
        boot,
        seq,
        appliedGeneration,
        digest: digestOf(runner.observed.values()),
        full: false,
        changes: [],
        addresses: { api: null, data: null },
        holdMs: 0,
        ...more,
      };
      const signed = JSON.stringify(request);
      const number = breach.seq ?? seq;
      seq = Math.max(seq, number + 1);
      const mac = breach.mac ?? macOf(under, { path: syncPath, body: signed, seq: number });
      const authorization = formatSessionProof({ session: under.session, seq: number, mac });
      return wire.call('POST', breach.path ?? syncPath, breach.body ?? signed, { authorization });
    },
    async sync(more) {
      const answer = await runner.send(more);
      if (answer.status !== 200) throw new WireRefusal(answer);
      const synced = v.parse(syncAnswerSchema, answer.body);
      if (synced.desired) {
        runner.desired = new Map(synced.desired.tasks.map((one) => [one.task, one]));
        appliedGeneration = synced.generation;
      }
      return synced;
    },
    observation: (task, state, more = {}) => ({
      task: task as Observation['task'],
      attempt: runner.desired.get(task)?.attempt ?? 1,
      state,
      stuck: false,
      progress: null,
      at: now(),
      startedAt: state === 'running' ? now() : null,
      end: state === 'ended' ? exited(0) : null,
      ...more,
    }),
    report(task, state, more) {
      const seen = runner.observation(task, state, more);
      if (state === 'ended') runner.observed.delete(task);
      else runner.observed.set(task, seen);
      return runner.sync({ changes: [seen] });
    },
  };
  return runner;
}

export class WireRefusal extends Error {
  override readonly name = 'WireRefusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`the Host refused: ${answer.status} ${answer.text}`);
    this.answer = answer;
  }
}

export function exited(exitCode: number): End {
  return { ...bareEnd('exit', `it exited with code ${exitCode}`), exitCode };
}

export function digestOf(observed: Iterable<Observation>): string {
  return nodeHashes.sha256(observedText(observed));
}

export function macOf(
  session: SessionAnswer,
  { path, body, seq }: { path: string; body: string; seq: number },
): string {
  const key = fromBase64Url(session.key);
  if (key === null) throw new Error('the session key is not base64url');
  return nodeHashes.hmac(key, macInput({ method: 'POST', path, bodyHash: nodeHashes.sha256(body), seq }));
}

function randomText(): string {
  return Buffer.from(nodeRandom.bytes(16)).toString('base64url');
}

function capacityOf({ cpuMilli = 8000, memoryBytes = 16 * gibibyte, gpus = [] }: NodeWish): CapacityReport {
  return {
    version: '0.0.0-test',
    machineId: 'a-machine',
    bootId: 'a-boot',
    hardware: {
      hostname: 'a-machine',
      kernel: '6.1.0',
      architecture: 'x64',
      cpuModel: null,
      cpuMilli,
      memoryBytes,
      numa: [],
      gpus: gpus.map((uuid, index) => ({ uuid, index, model: 'Test', memoryBytes: 8 * gibibyte, numaNode: null })),
      engine: null,
    },
  };
}
