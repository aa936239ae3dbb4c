import { useTranslation } from "react-i18next"
import { asProblem } from "../../api/problem"
import { useProblemText } from "../../components/problem"

/** Refusals of the sign-in pages have words of their own; the rest are said as everywhere. */
export function useSignInProblem(): (error: unknown) => string {
  const { t, i18n } = useTranslation("sign-in")
  const textOf = useProblemText()
  return (error) => {
    const key = `problem.${asProblem(error).code}`
    return i18n.exists(key, { ns: "sign-in" }) ? t(key as "problem.invalid_credentials") : textOf(error)
  }
}
