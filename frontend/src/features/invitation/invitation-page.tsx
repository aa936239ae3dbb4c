import { useMutation, useQuery } from "@tanstack/react-query"
import { useRouter } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem } from "../../api/problem"
import { meQuery } from "../../api/queries"
import { begin, chooseAccount, isSignedIn, signOut } from "../../api/session"
import type { InvitationOffer } from "../../api/types"
import { Button, ButtonLink } from "../../components/button"
import { NewPassword } from "../../components/new-password"
import { Note } from "../../components/note"
import { useTitle } from "../../components/page"
import { PASSWORD_LEAST } from "../../components/password-hint"
import { Failed, useProblemText } from "../../components/problem"
import { When } from "../../components/when"
import { forgetInvitation, heldInvitation, takeInvitation } from "./token"

function Facts({ offer }: { offer: InvitationOffer }) {
  const { t } = useTranslation("invitation")
  return (
    <dl className="kv border-y border-rule py-3">
      <dt>{t("by")}</dt>
      <dd className="wrap-anywhere">{offer.invited_by}</dd>
      <dt>{t("for")}</dt>
      <dd className="wrap-anywhere">{offer.email}</dd>
      <dt>{t("role")}</dt>
      <dd>{t(`roles.${offer.team_role}`)}</dd>
      <dt>{t("expires")}</dt>
      <dd>
        <When at={offer.expires_at} as="time" />
      </dd>
    </dl>
  )
}

/** Somebody new: a password, and they are in the place and in the team. */
function Join({ token, offer }: { token: string; offer: InvitationOffer }) {
  const { t, i18n } = useTranslation("invitation")
  const router = useRouter()
  const textOf = useProblemText()
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const join = useMutation({
    gcTime: 0,
    mutationFn: () =>
      body(
        api().POST("/api/v1/auth/invitations/accept", {
          body: { token, password, locale: i18n.language === "zh" ? "zh-CN" : "en" },
        }),
      ),
    onSuccess: async (tokens) => {
      forgetInvitation()
      begin(tokens)
      const me = await body(api().GET("/api/v1/me"))
      chooseAccount(me.accounts.find(({ kind }) => kind === "team")?.id ?? null)
      router.history.push("/console")
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (password.length >= PASSWORD_LEAST && !join.isPending) join.mutate()
  }
  return (
    <form className="grid gap-4" onSubmit={submit} noValidate>
      <input type="email" name="email" autoComplete="username" value={offer.email} readOnly hidden />
      <NewPassword
        label={t("password")}
        help={t("passwordHelp")}
        value={password}
        onValue={setPassword}
        wasSent={wasSent}
        email={offer.email}
        isLarge
        isFirst
      />
      {join.error && <Note tone="bad">{textOf(join.error)}</Note>}
      <Button type="submit" look="primary" size="lg" isWide isBusy={join.isPending}>
        {t("join", { team: offer.team })}
      </Button>
    </form>
  )
}

/** Somebody who is signed in: with the address that was invited, or with another. */
function Accept({ token, offer }: { token: string; offer: InvitationOffer }) {
  const { t } = useTranslation("invitation")
  const router = useRouter()
  const textOf = useProblemText()
  const me = useQuery(meQuery)
  const accept = useMutation({
    mutationFn: () => body(api().POST("/api/v1/invitations/accept", { body: { token } })),
    onSuccess: (joined) => {
      forgetInvitation()
      chooseAccount(joined.account_id)
      router.history.push("/console/team")
    },
  })
  if (!me.data) return <div aria-busy="true" className="min-h-24" />
  if (me.data.user.email.toLowerCase() !== offer.email.toLowerCase()) {
    return (
      <div className="grid gap-4">
        <Note tone="warn">{t("another", { email: me.data.user.email })}</Note>
        <Button size="lg" isWide onClick={() => void signOut()}>
          {t("signOut")}
        </Button>
      </div>
    )
  }
  return (
    <div className="grid gap-4">
      {accept.error && <Note tone="bad">{textOf(accept.error)}</Note>}
      <Button look="primary" size="lg" isWide isBusy={accept.isPending} onClick={() => accept.mutate()}>
        {t("join", { team: offer.team })}
      </Button>
    </div>
  )
}

function Answer({ token, offer }: { token: string; offer: InvitationOffer }) {
  const { t } = useTranslation("invitation")
  if (isSignedIn()) return <Accept token={token} offer={offer} />
  if (!offer.has_user) return <Join token={token} offer={offer} />
  return (
    <div className="grid gap-4">
      <p className="text-ink-2">{t("hasUser", { email: offer.email })}</p>
      <ButtonLink look="primary" size="lg" to="/sign-in" search={{ next: "/invitation" }}>
        {t("signIn")}
      </ButtonLink>
    </div>
  )
}

/** Behind the link of an invitation into a team. */
export default function InvitationPage() {
  const { t } = useTranslation("invitation")
  const [token] = useState(takeInvitation)
  const offer = useQuery({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => body(api().GET("/api/v1/invitations", { params: { query: { token } }, signal })),
    enabled: () => token !== "" && token === heldInvitation(), // not again once it was used
    staleTime: Number.POSITIVE_INFINITY,
  })
  useTitle(t("title"))
  if (token !== "" && !offer.data && !offer.error) return <div aria-busy="true" className="min-h-96" />
  const isNotHad = offer.error !== null && asProblem(offer.error).code !== "invalid_token"
  return (
    <div className="mx-auto grid max-w-[25rem] gap-6 px-4 pt-12 pb-16 md:pt-20">
      {isNotHad && !offer.data ? (
        <>
          <h1 className="sr-only">{t("title")}</h1>
          <Failed error={offer.error} onRetry={() => void offer.refetch()} />
        </>
      ) : offer.data ? (
        <>
          <div>
            <h1 className="text-28 wrap-anywhere">{t("heading", { team: offer.data.team })}</h1>
            <p className="mt-1 text-ink-2">{t("text")}</p>
          </div>
          <Facts offer={offer.data} />
          <Answer token={token} offer={offer.data} />
        </>
      ) : (
        <>
          <div>
            <h1 className="text-28">{t("gone")}</h1>
            <p className="mt-1 text-ink-2">{t("goneText")}</p>
          </div>
          <div>
            <ButtonLink look="primary" to="/sign-in">
              {t("signIn")}
            </ButtonLink>
          </div>
        </>
      )}
    </div>
  )
}
