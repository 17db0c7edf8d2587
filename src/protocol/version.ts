/**
 * The wire between Host and Runner. Another major is refused; a newer minor only adds fields that the other side
 * may leave out. A change of a schema fails `test/protocol/version.test.ts` until this is raised.
 */
export const protocolVersion = { major: 1, minor: 0 } as const;

/** Header in which every answer of the Host tells its time, ms since 1970. */
export const hostTimeHeader = 'weir-host-time';

export const apiPrefix = '/api/v1';
