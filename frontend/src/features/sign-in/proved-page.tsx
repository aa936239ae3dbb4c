import { getRouteApi } from "@tanstack/react-router"
import { useEffect } from "react"
import { useTranslation } from "react-i18next"
import { Problem } from "../../api/problem"
import { tellProof } from "../../api/proof-elsewhere"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

const route = getRouteApi("/public/proved")

/** Where the window of an identity provider comes back to: it tells the page that wanted the proof, and closes. */
export default function ProvedPage() {
  const { t } = useTranslation(["common", "sign-in"])
  const textOf = useSignInProblem()
  const { problem } = route.useSearch()
  useEffect(() => {
    tellProof(problem ?? null)
    window.close()
  }, [problem])
  return (
    <Narrow title={t("prove.title")} text={problem ? "" : t("prove.done")}>
      {problem && <Note tone="bad">{textOf(new Problem(problem, 0, "", null, {}))}</Note>}
    </Narrow>
  )
}
