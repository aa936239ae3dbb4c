// What the official Node client makes of a running gateway: one JSON object of facts on standard output.
//
//     node tests/sdk/calls.mjs        with OPENAI_BASE_URL and OPENAI_API_KEY as any program would have them
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

// The client is one of the console's development libraries; this file is not below its node_modules.
const from = createRequire(new URL("../../frontend/package.json", import.meta.url))
const { default: OpenAI } = await import(pathToFileURL(from.resolve("openai")).href)

const client = new OpenAI({ maxRetries: 0 })
const messages = [{ role: "user", content: "Say hello" }]

async function chat() {
  const { data, response } = await client.chat.completions.create({ model: "demo", messages }).withResponse()
  return {
    text: data.choices[0].message.content,
    finish: data.choices[0].finish_reason,
    usage: data.usage,
    request_id: data._request_id,
    header: response.headers.get("x-request-id"),
  }
}

async function stream() {
  const events = await client.chat.completions.create({
    model: "demo",
    messages,
    stream: true,
    stream_options: { include_usage: true },
    scripted: { text: "Grüezi, 世界!", chunks: 5 },
  })
  let text = ""
  let chunks = 0
  let usage = null
  for await (const event of events) {
    text += event.choices[0]?.delta.content ?? ""
    chunks += event.choices.length
    usage = event.usage ?? usage
  }
  return { text, chunks, usage }
}

/** The helper that puts a stream together and hands out each part as it comes. */
async function assembled() {
  let heard = ""
  const runner = client.chat.completions
    .stream({ model: "demo", messages, scripted: { text: "In parts, then whole.", chunks: 4 } })
    .on("content", (part) => {
      heard += part
    })
  return { text: await runner.finalContent(), heard }
}

async function tools() {
  const answer = await client.chat.completions.create({
    model: "demo",
    messages,
    tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
    scripted: { tool_calls: [{ name: "weather", arguments: { city: "Bern" } }] },
  })
  const call = answer.choices[0].message.tool_calls[0]
  return { name: call.function.name, arguments: JSON.parse(call.function.arguments) }
}

/** Without `encoding_format` this client asks for base64 and unpacks it itself. */
async function embeddings() {
  const unpacked = await client.embeddings.create({ model: "embedder", input: "same" })
  const plain = await client.embeddings.create({ model: "embedder", input: "same", encoding_format: "float" })
  const packed = await client.embeddings.create({ model: "embedder", input: "same", encoding_format: "base64" })
  return {
    unpacked: unpacked.data[0].embedding,
    plain: plain.data[0].embedding,
    packed: typeof packed.data[0].embedding,
    usage: unpacked.usage,
  }
}

async function responses() {
  const { data, response } = await client.responses.create({ model: "demo", input: "Say hello" }).withResponse()
  return {
    text: data.output_text,
    status: data.status,
    usage: data.usage,
    header: response.headers.get("x-request-id"),
  }
}

/** Events by hand, then the helper that puts them together. */
async function responsesStream() {
  const request = { model: "demo", input: "Tell a story" }
  const kinds = []
  let text = ""
  for await (const event of await client.responses.create({ ...request, stream: true })) {
    kinds.push(event.type)
    if (event.type === "response.output_text.delta") text += event.delta
  }
  const whole = await client.responses.stream(request).finalResponse()
  return { first: kinds[0], last: kinds.at(-1), text, whole: whole.output_text }
}

async function responsesTools() {
  const tools = [{ type: "function", name: "weather", parameters: { type: "object", properties: {} }, strict: false }]
  const asked = { model: "demo", tools, input: [{ role: "user", content: "The weather?" }] }
  const answer = await client.responses.create({ ...asked, tool_choice: { type: "function", name: "weather" } })
  const call = answer.output.find((item) => item.type === "function_call")
  const result = { type: "function_call_output", call_id: call.call_id, output: "Sunny" }
  const again = await client.responses.create({ ...asked, input: [...asked.input, call, result] })
  return { name: call.name, arguments: JSON.parse(call.arguments), text: again.output_text }
}

async function moderations() {
  const one = await client.moderations.create({ input: "harmful words" })
  const several = await client.moderations.create({ model: "omni-moderation-latest", input: ["fine", "harmful"] })
  return { one: one.results[0].flagged, several: several.results.map((result) => result.flagged), model: one.model }
}

async function models() {
  const listed = []
  for await (const model of client.models.list()) listed.push(model.id)
  return { listed: listed.sort(), one: (await client.models.retrieve("vendor/family:2.5")).id }
}

async function completions() {
  const answer = await client.completions.create({ model: "demo", prompt: "Once upon a time", max_tokens: 20 })
  return { text: answer.choices[0].text }
}

/** What a program that catches errors gets to see. */
async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return {
      class: error.constructor.name,
      is_api_error: error instanceof OpenAI.APIError,
      status: error.status,
      code: error.code,
      type: error.type,
      message: error.message,
      request_id: error.requestID,
    }
  }
  return null
}

const stranger = new OpenAI({ apiKey: "sk-air-nobody", maxRetries: 0 })
let tries = 0
const poor = new OpenAI({
  apiKey: process.env.POOR_KEY,
  maxRetries: 2,
  fetch: (...request) => {
    tries += 1
    return fetch(...request)
  },
})

console.log(
  JSON.stringify({
    chat: await chat(),
    stream: await stream(),
    assembled: await assembled(),
    tools: await tools(),
    embeddings: await embeddings(),
    responses: await responses(),
    responsesStream: await responsesStream(),
    responsesTools: await responsesTools(),
    moderations: await moderations(),
    models: await models(),
    completions: await completions(),
    refused: {
      stranger: await refusal(() => stranger.models.list()),
      model: await refusal(() => client.chat.completions.create({ model: "nothing", messages })),
      body: await refusal(() => client.chat.completions.create({ model: "demo", messages: "no list" })),
      poor: await refusal(() => poor.chat.completions.create({ model: "demo", messages })),
    },
    tries,
  }),
)
