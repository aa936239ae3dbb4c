import { useQuery } from "@tanstack/react-query"
import { KeyRound, ReceiptText, SearchX } from "lucide-react"
import { useTranslation } from "react-i18next"
import { keysQuery, pricingQuery } from "../../api/queries"
import { gatewayUrl } from "../../api/runtime"
import { ButtonLink } from "../../components/button"
import { CodeBlock } from "../../components/code"
import { sampleCurl } from "../../format/curl"
import { type Change, ClearFilters } from "./filters"
import { isNarrowed, type UsageSearch } from "./search"

/** Nothing in this span: what will appear here, and the call that makes it appear. */
function NoCalls() {
  const { t } = useTranslation("usage")
  const { data: keys } = useQuery(keysQuery)
  const { data: pricing } = useQuery(pricingQuery(null))
  const model = pricing?.models.find(({ rates }) => rates.output !== undefined)?.model
  return (
    <>
      <ReceiptText className="i" aria-hidden="true" />
      <h2 className="text-14">{t("empty.title")}</h2>
      <p>{t("empty.text")}</p>
      {model && (
        <div className="mt-2 w-full max-w-2xl min-w-0">
          <CodeBlock label={t("empty.code")} code={sampleCurl(gatewayUrl(), model)} />
        </div>
      )}
      {keys?.items.length === 0 && (
        <ButtonLink size="sm" className="mt-2" to="/console/keys" search={{ new: true }}>
          <KeyRound className="i i-sm" aria-hidden="true" />
          {t("empty.key")}
        </ButtonLink>
      )}
    </>
  )
}

export function Empty({ search, onChange }: { search: UsageSearch; onChange: Change }) {
  const { t } = useTranslation("usage")
  if (!isNarrowed(search)) return <NoCalls />
  return (
    <>
      <SearchX className="i" aria-hidden="true" />
      <h2 className="text-14">{search.q ? t("none.id") : t("none.title")}</h2>
      <p>{search.q ? t("none.idText") : t("none.text")}</p>
      <span className="mt-2">
        <ClearFilters onChange={onChange} />
      </span>
    </>
  )
}
