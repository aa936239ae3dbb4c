import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { privacyQuery } from "../../api/operator-queries"
import type { User } from "../../api/types"
import { DeletionDialog } from "../../components/deletion-dialog"
import type { Open } from "../../components/form-dialog"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { dayAndTime } from "../../format/time"

/** Somebody is deleted when the grace period is over; until then they, or an operator, keep their account. */
export function useDeletion() {
  const { t, i18n } = useTranslation("users")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const params = (user: User) => ({ path: { user_id: user.id } })
  const look = () => queries.invalidateQueries({ queryKey: ["admin", "users"] })
  const remove = async (user: User, endKeysNow: boolean) => {
    const { due_at } = await body(
      api().POST("/api/v1/admin/users/{user_id}/deletion", {
        params: params(user),
        body: { end_keys_now: endKeysNow },
      }),
    )
    await look()
    const day = dayAndTime(due_at, i18n.language)
    say({ tone: "good", title: t("deletion.asked", { email: user.email, day }) })
  }
  const keep = async (user: User) => {
    try {
      await body(api().DELETE("/api/v1/admin/users/{user_id}/deletion", { params: params(user) }))
    } catch (error) {
      return say({ tone: "bad", title: t("notChanged", { email: user.email }), text: textOf(error) })
    }
    await look()
    say({ tone: "good", title: t("deletion.kept", { email: user.email }) })
  }
  return { remove, keep }
}

/** Spells out what will happen to them. */
export function DeleteUser({
  doomed,
  onClose,
  onGone,
  onDelete,
}: {
  doomed: NonNullable<Open<User>>
  onClose: () => void
  onGone: () => void
  onDelete: (user: User, endKeysNow: boolean) => Promise<unknown>
}) {
  const { t } = useTranslation("users")
  const { data: policy } = useQuery(privacyQuery)
  const days = policy?.deletion_grace_days ?? 0
  return (
    <DeletionDialog
      isOpen={doomed.isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("deletion.title", { email: doomed.thing.email })}
      text={t(days > 0 ? "deletion.when" : "deletion.whenNow", { count: days })}
      lines={[
        t("deletion.person"),
        t("deletion.keys"),
        t(policy?.remaining_balance === "forfeit" ? "deletion.forfeit" : "deletion.keepRefusing"),
        t("deletion.stays"),
      ]}
      endKeys={t("deletion.endKeys")}
      action={t("deletion.action")}
      onDelete={(endKeysNow) => onDelete(doomed.thing, endKeysNow)}
    />
  )
}
