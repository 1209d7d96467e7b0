"""The part of Microsoft Graph that `az ad` needs: applications, service principals, secrets."""
