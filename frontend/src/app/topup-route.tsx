import ReferralPanel from "../features/referral/panel"
import TopUpPage from "../features/topup/topup-page"

/** The top-up page, and below its orders what other nouns have to say there. */
export default function TopUpRoute() {
  return <TopUpPage below={<ReferralPanel />} />
}
