/** One server for all tests in Chromium, in a copy of the project. */
import type { TestProject } from "vitest/node";
import { copyProject, removeProject, Server } from "./server.ts";

export default async function serve({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = copyProject();
  const server = await Server.start(folder);
  provide("servedApp", { url: server.url, folder, log: server.log });
  return async () => {
    await server.stop();
    removeProject(folder);
  };
}
