# What people and pipelines do with the Azure CLI: the real one, pointed here by `lazulite az-register`.
# Needs lazulite and az on PATH, and LAZULITE_DATA_DIR. Each line fails the flow if az does.
set -euo pipefail

same() {  # same EXPECTED COMMAND...: what a command prints
  local found expected=$1
  shift
  found=$("$@")
  [ "$found" = "$expected" ] || { echo "$*: $found is not $expected" >&2; exit 1; }
}

refused() {  # refused EXIT_CODE WORDS COMMAND...
  local code=0 said expected=$1 words=$2
  shift 2
  said=$("$@" 2>&1) || code=$?
  [ "$code" = "$expected" ] && [[ "$said" == *"$words"* ]] || { echo "$*: $code $said" >&2; exit 1; }
}

eval "$(lazulite az-register)"
eval "$(lazulite az-register)"  # as after a restart
export AZURE_CORE_ONLY_SHOW_ERRORS=true AZURE_CORE_OUTPUT=tsv

echo "== account" >&2
same Lazulite az account show --query environmentName
subscription=$(az account show --query id)
az account set -s "$subscription"
same local az account list-locations --query '[].name'
same Bearer az account get-access-token --query tokenType
same Bearer az account get-access-token --resource https://ml.azure.com --query tokenType

echo "== group" >&2
same Succeeded az group create -n clients -l local --tags a=b --query properties.provisioningState
same b az group show -n clients --query tags.a
same d az group update -n clients --tags c=d --query tags.c
same clients az group list --tag c=d --query '[].name'
refused 3 ResourceGroupNotFound az group show -n nowhere

echo "== rest and resources" >&2
workspace=/subscriptions/$subscription/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/main
same main az rest --url "$workspace?api-version=2023-10-01" --query name
endpoint="$workspace/onlineEndpoints/by-az?api-version=2023-10-01"
same Key az rest --method put --url "$endpoint" --body '{"location": "local", "properties": {"authMode": "Key"}}' \
  --query properties.authMode
az rest --method delete --url "$endpoint"
refused 1 ResourceNotFound az rest --url "$workspace/computes/nope?api-version=2023-10-01"
same main az resource show --ids "$workspace" --query name
same main az resource list -g local --resource-type Microsoft.MachineLearningServices/workspaces --query '[].name'
same Registered az provider show -n Microsoft.MachineLearningServices --query registrationState

echo "== storage account" >&2
same true az storage account check-name -n byaz --query nameAvailable
same byaz az storage account create -n byaz -g clients -l local --sku Standard_LRS --query name
same false az storage account check-name -n byaz --query nameAvailable
same y az storage account update -n byaz -g clients --tags x=y --query tags.x
same key1 az storage account keys renew -n byaz -g clients --key key1 --query '[0].keyName'
AZURE_STORAGE_CONNECTION_STRING=$(az storage account show-connection-string -n byaz -g clients)
export AZURE_STORAGE_CONNECTION_STRING

echo "== storage blob" >&2
mkdir -p up/sub
echo one >up/a.txt
echo two >up/sub/b.txt
head -c 9000000 /dev/urandom >up/c.bin
same true az storage container create -n files --query created
az storage blob upload-batch -d files -s up >/dev/null
same "$(printf 'a.txt\nc.bin\nsub/b.txt')" az storage blob list -c files --query '[].name'
mkdir down
az storage blob download-batch -s files -d down >/dev/null
diff -r up down
az storage blob upload -c files -n x.txt -f up/a.txt --overwrite >/dev/null
same 4 az storage blob show -c files -n x.txt --query properties.contentLength
same false az storage blob exists -c files -n nope --query exists
az storage blob metadata update -c files -n x.txt --metadata a=b >/dev/null
same b az storage blob metadata show -c files -n x.txt --query a
az storage blob copy start -c files -b copy.txt --source-container files --source-blob x.txt >/dev/null
signed=$(az storage blob generate-sas -c files -n x.txt --permissions r --expiry 2099-01-01T00:00Z --full-uri)
same one curl -sS --fail --cacert "$SSL_CERT_FILE" "$signed"
shared=$(az storage container generate-sas -n files --permissions rl --expiry 2099-01-01)
blobs=$(az storage account show -n byaz -g clients --query primaryEndpoints.blob)
unset AZURE_STORAGE_CONNECTION_STRING
same 5 az storage blob list -c files --blob-endpoint "${blobs%/}" --sas-token "$shared" --query 'length(@)'
same 5 az storage blob list -c files --blob-endpoint "${blobs%/}" --auth-mode login --query 'length(@)'
same "" az storage blob delete-batch -s files --pattern 'sub/*' --blob-endpoint "${blobs%/}" --auth-mode login
same 4 az storage blob list -c files --blob-endpoint "${blobs%/}" --auth-mode login --query 'length(@)'
same true az storage container delete -n files --blob-endpoint "${blobs%/}" --auth-mode login --query deleted

echo "== the end" >&2
az storage account delete -n byaz -g clients --yes
az group delete -n clients --yes
same false az group exists -n clients
az logout
refused 1 "az login" az group list

echo "== a code instead of a secret" >&2
env -u AZURE_CORE_ONLY_SHOW_ERRORS az login >login.txt 2>login.err &
code=
until [ -n "$code" ]; do
  sleep 1
  code=$(grep -o 'approve [A-Z]*' login.err | cut -d ' ' -f 2 || true)
done
lazulite login --approve "$code" --username "$(lazulite account show --query user.name -o tsv)" --yes
wait $!
same user az account show --query user.type
same local az group show -n local --query name
