import { Outlet } from "@tanstack/react-router"
import { lazy } from "react"
import { isSignedIn } from "../api/session"
import { PublicFrame } from "./public-frame"

const ConsoleLayout = lazy(() => import("./console-layout"))

export function PublicLayout() {
  return (
    <PublicFrame>
      <Outlet />
    </PublicFrame>
  )
}

export function OpenFrame() {
  return isSignedIn() ? <ConsoleLayout /> : <PublicLayout />
}
