-- How far ahead of their turn messages are let go: release lets them, begin takes back what went too far, and tick asks whether
-- there is room for more.
local TWICE = 2            -- messages released and not begun, for each hand
local RELEASE_AHEAD = 2000 -- ms of the channel's rate that may be released and not begun
local SENDER_LEAD = 50     -- ms that a sender's slot may lie ahead of the channel's
