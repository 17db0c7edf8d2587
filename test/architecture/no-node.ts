// Compiled by tsconfig.host.json alone. If a file of that program pulls in the types of Node (a
// `/// <reference types="node" />` in a dependency is enough), an expected error is missing here.
// @ts-expect-error no Node global in protocol, lib and host
type NoProcess = typeof process;
// @ts-expect-error no Node global in protocol, lib and host
type NoBuffer = typeof Buffer;
// @ts-expect-error no document either: the Host does not run in a page
type NoDocument = typeof document;

export type { NoBuffer, NoDocument, NoProcess };
