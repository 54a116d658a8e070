"""The configuration application beside what azuread makes: its service principal, orphans, other configurations."""
