import { useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Plus, Search } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { FoundCode, NewBatch } from "../../api/types"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { PageHead } from "../../components/page"
import { BatchForm } from "./batch-form"
import { Batches } from "./batches"
import { CodesDialog } from "./codes-dialog"
import { FindDialog } from "./find-dialog"
import { Redemptions } from "./redemptions"
import type { CodesSearch } from "./search"

const route = getRouteApi("/console/admin/codes")

/** Batches, or who redeemed what; which of the two stands in the address. */
export default function CodesPage() {
  const { t } = useTranslation(["admin", "codes"])
  const queries = useQueryClient()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const show = (wanted: CodesSearch) => void navigate({ search: wanted, resetScroll: false })
  const [isMaking, setMaking] = useState(false)
  const [isFinding, setFinding] = useState(false)
  const [made, setMade] = useState<NewBatch | null>(null)
  const [found, setFound] = useState<FoundCode | null>(null)
  return (
    <>
      <PageHead title={t("codes.title")} text={t("codes.text")}>
        <Button onClick={() => setFinding(true)}>
          <Search className="i" aria-hidden="true" />
          {t("codes:find.title")}
        </Button>
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus className="i" aria-hidden="true" />
          {t("codes.new")}
        </Button>
      </PageHead>
      {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
      <div className="mb-4 flex flex-wrap gap-2" role="group" aria-label={t("codes:views")}>
        <Chip isOn={!search.view} onPress={() => show({})}>
          {t("codes:batches")}
        </Chip>
        <Chip isOn={search.view === "redemptions"} onPress={() => show({ view: "redemptions" })}>
          {t("codes:redemptions.title")}
        </Chip>
      </div>
      {search.view === "redemptions" ? (
        <Redemptions
          search={search}
          found={found}
          onFilter={(filter) => show({ view: "redemptions", ...filter })}
        />
      ) : (
        <Batches onHistory={({ id }) => show({ view: "redemptions", batch: id })} />
      )}
      <FindDialog
        isOpen={isFinding}
        onClose={() => setFinding(false)}
        onFound={(answer) => {
          setFound(answer)
          show({ view: "redemptions", code: answer.code.id })
        }}
      />
      <BatchForm
        isOpen={isMaking}
        onClose={() => setMaking(false)}
        onSubmit={(draft) =>
          body(
            api().POST("/api/v1/admin/redemption-batches", {
              body: draft,
              headers: { "Idempotency-Key": onceOnly() },
            }),
          ).then((batch) => {
            setMade(batch)
            return queries.invalidateQueries({ queryKey: ["admin", "batches"] })
          })
        }
      />
      {made && <CodesDialog made={made} onDone={() => setMade(null)} />}
    </>
  )
}
