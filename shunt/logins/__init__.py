"""Making a login together with a person: browser, paste, device code."""
