"""The stage that joins the stored light curve of each object to that of the packet."""
