declare const WEIR_VERSION: string;

/** Set by the build; a run from source says so. */
export const version: string = typeof WEIR_VERSION === 'undefined' ? '0.0.0-source' : WEIR_VERSION;
