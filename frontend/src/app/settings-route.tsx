import ReferralPanel from "../features/referral/panel"
import SettingsPage from "../features/settings/settings-page"

/** The settings; the referral code stands with the profile, too. */
export default function SettingsRoute() {
  return <SettingsPage below={{ profile: <ReferralPanel /> }} />
}
