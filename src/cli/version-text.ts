declare const WEIR_VERSION: string | undefined;

/** The build puts the package's version in its place. */
export const versionText = typeof WEIR_VERSION === 'string' ? WEIR_VERSION : '0.0.0-source';
