/**
 * No telemetry. Better Auth's bundle holds it also where it is turned off: 3 KB compressed. wrangler.toml puts this file in
 * its place.
 * @see https://github.com/better-auth/better-auth/issues/2964
 *
 * Delete this file and its alias once Better Auth loads its telemetry only where it is turned on.
 */
export async function createTelemetry() {
  return { publish: async () => {} };
}

export async function getTelemetryAuthConfig() {
  return {};
}
