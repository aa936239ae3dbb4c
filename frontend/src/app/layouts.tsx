import { Outlet } from "@tanstack/react-router"
import { lazy } from "react"
import { isSignedIn } from "../api/session"
import { PublicFrame } from "./public-frame"

const ConsoleFrame = lazy(() => import("./console-frame"))

export function PublicLayout() {
  return (
    <PublicFrame>
      <Outlet />
    </PublicFrame>
  )
}

export function ConsoleLayout() {
  return (
    <ConsoleFrame>
      <Outlet />
    </ConsoleFrame>
  )
}

export function OpenFrame() {
  return isSignedIn() ? <ConsoleLayout /> : <PublicLayout />
}
