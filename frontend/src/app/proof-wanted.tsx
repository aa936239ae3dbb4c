import { lazy, Suspense, useEffect, useRef, useState } from "react"
import { proveWith } from "../api/client"
import type { Problem } from "../api/problem"

const ProveIt = lazy(() => import("./prove-it"))

type Asked = { problem: Problem; answer: (isProved: boolean) => void }

/** Stands once in the console: asks when an act that matters wants a fresh proof, and lets the request go on after it. */
export function ProofWanted() {
  const [asked, setAsked] = useState<Asked | null>(null)
  const isAsking = useRef(false)
  useEffect(
    () =>
      proveWith((problem) => {
        if (isAsking.current) return Promise.resolve(false)
        isAsking.current = true
        return new Promise((answer) => setAsked({ problem, answer }))
      }),
    [],
  )
  if (!asked) return null
  return (
    <Suspense fallback={null}>
      <ProveIt
        problem={asked.problem}
        onAnswer={(isProved) => {
          isAsking.current = false
          asked.answer(isProved)
        }}
        onGone={() => setAsked(null)}
      />
    </Suspense>
  )
}
