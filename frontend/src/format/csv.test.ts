import { expect, test } from "vitest"
import { csv } from "./csv"

test("commas, quotes and line ends inside a field keep it whole", () => {
  expect(
    csv([
      ["code", "name"],
      ["A1", 'say "hi", twice\nnow'],
    ]),
  ).toBe('code,name\r\nA1,"say ""hi"", twice\nnow"\r\n')
})
