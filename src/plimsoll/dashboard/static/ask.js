// How does the page ask the API, and hear of changes? The token lives in this tab alone.

const KEPT = "plimsoll-token";
let token = "";

export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    token = given;
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname);
  } else {
    token = sessionStorage.getItem(KEPT) ?? "";
  }
  return token !== "";
}

export function useToken(given) {
  token = given.trim();
  sessionStorage.setItem(KEPT, token);
}

export class Refused extends Error {
  constructor(status, body) {
    super(body.message ?? `status ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.remedy = body.remedy ?? "";
  }
}

export async function ask(path, body) {
  const headers = { authorization: `Bearer ${token}` };
  const request = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(path, request);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

// Calls `changed` with every message and `state` with "live" or "down"; connects again, more slowly each time.
export function listen(changed, state) {
  let pause = 500;
  function connect() {
    const address = `${location.origin.replace(/^http/, "ws")}/v1/stream`;
    const socket = new WebSocket(address, ["plimsoll.v1", `bearer.${token}`]);
    socket.onmessage = (event) => { pause = 500; changed(JSON.parse(event.data)); };
    socket.onopen = () => state("live");
    socket.onclose = () => {
      state("down");
      setTimeout(connect, pause);
      pause = Math.min(pause * 1.7, 10000);
    };
  }
  connect();
}
