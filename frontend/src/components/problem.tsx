import { CloudOff, RotateCw } from "lucide-react"
import { useTranslation } from "react-i18next"
import { asProblem, type Problem } from "../api/problem"
import { Button } from "./button"

/** The API's own words; where they begin with the name of a field, that name is for programs and is left out. */
function withoutField({ detail, facts }: Problem): string {
  const { field } = facts
  if (typeof field !== "string" || !detail.startsWith(`${field}: `)) return detail
  const rest = detail.slice(field.length + 2)
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

/** Says a refusal in the reader's language where we know it, else in the API's own words. */
export function useProblemText(): (error: unknown) => string {
  const { t, i18n } = useTranslation()
  return (error) => {
    const problem = asProblem(error)
    const key = `problem.${problem.code}`
    if (i18n.exists(key, { ns: "common" })) return t(key as "problem.unreachable", problem.facts)
    return withoutField(problem) || t("problem.unknown", { code: problem.code })
  }
}

/** A page or list that could not be had: what happened, a way to try again, and the id to quote. */
export function Failed({ title, error, onRetry }: { title?: string; error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation()
  const textOf = useProblemText()
  const { requestId } = asProblem(error)
  return (
    <div className="state-box" role="alert">
      <CloudOff className="i" aria-hidden="true" />
      <b>{title ?? t("failed.title")}</b>
      <p>{textOf(error)}</p>
      <div className="mt-2 flex flex-wrap items-center justify-center gap-3">
        {onRetry && (
          <Button size="sm" onClick={onRetry}>
            <RotateCw className="i i-sm" aria-hidden="true" />
            {t("failed.retry")}
          </Button>
        )}
        {requestId && (
          <span className="text-12 text-ink-3">
            {t("failed.request")} <span className="mono">{requestId}</span>
          </span>
        )}
      </div>
    </div>
  )
}
