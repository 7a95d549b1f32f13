"""What an author wrote: frozen values, equal by content; nothing is read or computed here."""
