/** The app in the browser: shows the page of the address. */
import { type ComponentType, render } from "preact";
import { takeToken } from "./link-token.ts";

type Page = ComponentType<{ token: string }>;

/** Pages that most visits do not need are loaded when they are opened. */
const LINK_PAGES: Record<string, () => Promise<Page>> = {
  "/verify-email": async () => (await import("./link-pages.tsx")).VerifyEmail,
  "/reset-password": async () => (await import("./link-pages.tsx")).ResetPassword,
};

const app = document.querySelector("#app");
if (app) await show(app);

async function show(place: Element): Promise<void> {
  const load = LINK_PAGES[location.pathname];
  if (!load) return render(<Home />, place);
  const token = takeToken();
  const Page = await load();
  render(<Page token={token} />, place);
}

function Home() {
  return (
    <main>
      <h1>Edge Tasks</h1>
      <p>
        The tasks are at the API: <a href="/docs">see and run its operations</a>.
      </p>
    </main>
  );
}
