"""What customers see: pages without scripts, cookies and sign-in. The link that they came by says who they are."""
