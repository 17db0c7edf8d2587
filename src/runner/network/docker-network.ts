import type { EngineAnswer, EngineCall } from './engine-api.ts';

export interface DockerNetworkOptions {
  name: string;
  bridge: string;
  /** `null`: the Engine picks one. */
  subnet: string | null;
  /** Whether a device of that name is there. */
  hasDevice: (name: string) => Promise<boolean>;
}

/** The network as the Engine has it. */
export interface DockerNetwork {
  subnet: string | null;
  gateway: string | null;
}

interface Found extends DockerNetwork {
  driver: unknown;
  options: Readonly<Record<string, unknown>>;
  containers: number;
}

/**
 * Makes the Docker network of the workloads, or finds it as it should be. One that differs is made anew as long as
 * nothing is attached to it.
 * @throws Error that says what the Engine refused, or what is wrong with a network that is in use
 */
export async function ensureDockerNetwork(
  options: DockerNetworkOptions,
  call: EngineCall,
  signal: AbortSignal,
): Promise<DockerNetwork> {
  const found = await find(options.name, call, signal);
  const wrong = found ? await faultOf(found, options) : null;
  if (found && wrong === null) return found;
  if (found && found.containers > 0) {
    throw new Error(`the Docker network "${options.name}" is in use and ${wrong}; stop what uses it and remove it`);
  }
  if (found) await remove(options.name, call, signal);
  await create(options, call, signal);
  const made = await find(options.name, call, signal);
  if (!made) throw new Error(`the Docker network "${options.name}" is gone right after it was made`);
  return made;
}

async function find(name: string, call: EngineCall, signal: AbortSignal): Promise<Found | null> {
  const answer = await call({ method: 'GET', path: `/networks/${name}` }, signal);
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw refused(answer, `look up the network "${name}"`);
  const body = record(answer.body);
  const ipam = record(record(body['IPAM'])['Config']);
  const { Subnet: subnet, Gateway: gateway } = record(ipam[0]);
  return {
    driver: body['Driver'],
    options: record(body['Options']),
    containers: Object.keys(record(body['Containers'])).length,
    subnet: typeof subnet === 'string' ? subnet : null,
    gateway: typeof gateway === 'string' ? gateway : null,
  };
}

async function faultOf(found: Found, { bridge, subnet, hasDevice }: DockerNetworkOptions): Promise<string | null> {
  if (found.driver !== 'bridge') return `has the driver ${JSON.stringify(found.driver)}`;
  for (const [name, value] of Object.entries(bridgeOptions(bridge))) {
    if (found.options[name] !== value)
      return `has ${name}=${JSON.stringify(found.options[name] ?? null)}, not ${value}`;
  }
  if (subnet !== null && found.subnet !== subnet) return `has the subnet ${found.subnet}, not ${subnet}`;
  return (await hasDevice(bridge)) ? null : `has lost its bridge ${bridge}`;
}

function bridgeOptions(bridge: string): Record<string, string> {
  return {
    'com.docker.network.bridge.name': bridge,
    'com.docker.network.bridge.enable_icc': 'false',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
  };
}

async function create(
  { name, bridge, subnet }: DockerNetworkOptions,
  call: EngineCall,
  signal: AbortSignal,
): Promise<void> {
  const body = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Config: subnet === null ? [] : [{ Subnet: subnet }] },
    Options: bridgeOptions(bridge),
  };
  const answer = await call({ method: 'POST', path: '/networks/create', body }, signal);
  // 409: somebody else has just made it; it is looked at anew.
  if (answer.status !== 201 && answer.status !== 409) throw refused(answer, `make the network "${name}"`);
}

async function remove(name: string, call: EngineCall, signal: AbortSignal): Promise<void> {
  const answer = await call({ method: 'DELETE', path: `/networks/${name}` }, signal);
  if (answer.status !== 204 && answer.status !== 404) throw refused(answer, `remove the network "${name}"`);
}

function refused({ status, body }: EngineAnswer, what: string): Error {
  const { message } = record(body);
  return new Error(`the Docker Engine did not ${what}: ${typeof message === 'string' ? message : `status ${status}`}`);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
