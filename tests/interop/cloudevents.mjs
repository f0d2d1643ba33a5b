// Sends one event in structured mode, one in binary mode and a batch with the npm SDK; prints what was answered.
import { createRequire } from "node:module";
const { CloudEvent, HTTP } = createRequire(process.argv[2] + "/")("cloudevents");

const [, , , url, key, text] = process.argv;
const events = JSON.parse(text).map((event) => new CloudEvent(event));

async function send(message) {
  const headers = { ...message.headers, "x-api-key": key };
  const answer = await fetch(url, { method: "POST", headers, body: message.body });
  return { status: answer.status, body: await answer.json() };
}

const [structured, binary, ...rest] = events;
const batch = { headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(rest) };
console.log(JSON.stringify([await send(HTTP.structured(structured)), await send(HTTP.binary(binary)), await send(batch)]));
