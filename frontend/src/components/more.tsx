import { useTranslation } from "react-i18next"
import type { Paged } from "../api/pages"
import { Button } from "./button"

/** Under a list that has another page. */
export function More({ more }: { more: Paged<unknown>["more"] }) {
  const { t } = useTranslation()
  if (!more.isThere) return null
  return (
    <div className="pager">
      <Button size="sm" isBusy={more.isBusy} onClick={more.load}>
        {t("more")}
      </Button>
    </div>
  )
}
