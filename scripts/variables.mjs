// @ts-check

/**
 * Every variable of the environment that Weir reads or sets, for docs/reference/variables.md.
 * @type {readonly { name: string, where: 'weir' | 'worker' | 'container', meaning: string }[]}
 */
export const variables = [
  {
    name: 'WEIR_URL',
    where: 'weir',
    meaning: 'address of the Host, such as `https://weir.example:8000`',
  },
  {
    name: 'WEIR_TOKEN',
    where: 'weir',
    meaning: 'the API token for `WEIR_URL`, and for no other address',
  },
  {
    name: 'WEIR_TLS_PIN',
    where: 'weir',
    meaning:
      "SHA-256 of the Host's TLS key, as `tlsPin` in its `endpoint.json`; without it the usual authorities decide",
  },
  {
    name: 'WEIR_JOIN_TOKEN',
    where: 'weir',
    meaning: '`weir runner`: the join token, when it is not in a file (`--join-file`)',
  },
  {
    name: 'DOCKER_HOST',
    where: 'weir',
    meaning: '`weir up`, `weir runner`: the engine, as `unix:///path`; `/var/run/docker.sock` unless said',
  },
  {
    name: 'XDG_CONFIG_HOME',
    where: 'weir',
    meaning: 'folder of `weir/contexts.json`, what `weir login` saves; `~/.config` unless said',
  },
  {
    name: 'XDG_DATA_HOME',
    where: 'weir',
    meaning: 'folder of `weir/`, the data folder of whoever is not root; `~/.local/share` unless said',
  },
  { name: 'NO_COLOR', where: 'weir', meaning: 'no colours, on a terminal neither' },
  { name: 'TERM', where: 'weir', meaning: '`dumb`: no colours' },
  {
    name: 'WEIR_HOST_DATABASE_TOKEN',
    where: 'worker',
    meaning: 'secret: the token for the libSQL server in `WEIR_HOST_DATABASE_URL`',
  },
  {
    name: 'WEIR_SIGNING_KEY',
    where: 'worker',
    meaning: 'secret: the text of `DIR/host/keys/signing.pem`, the same as the other Hosts have',
  },
  { name: 'WEIR_TASK_ID', where: 'container', meaning: 'id of the task, such as `t1k7`' },
  { name: 'WEIR_TASK_NAME', where: 'container', meaning: 'its name' },
  { name: 'WEIR_ATTEMPT', where: 'container', meaning: 'number of the attempt, from 1' },
  { name: 'WEIR_NODE', where: 'container', meaning: 'name of the node that it runs on' },
  { name: 'WEIR_ARRAY_ID', where: 'container', meaning: 'member of an array: id of the array' },
  { name: 'WEIR_ARRAY_INDEX', where: 'container', meaning: 'member of an array: its own index' },
  {
    name: 'WEIR_ARRAY_SIZE',
    where: 'container',
    meaning: 'member of an array: how many members there are',
  },
  {
    name: 'WEIR_SHARED_DIR',
    where: 'container',
    meaning: '`/shared` where the node has a shared folder, else empty',
  },
  {
    name: 'WEIR_SCRATCH_DIR',
    where: 'container',
    meaning: "`/scratch`, the attempt's own folder, where the node has one, else empty",
  },
  {
    name: 'NVIDIA_VISIBLE_DEVICES',
    where: 'container',
    meaning: 'UUIDs of the GPUs that it was given; `void` when none',
  },
];
