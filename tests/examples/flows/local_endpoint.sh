# Managed online endpoints of May 2021, first part: a local endpoint, without the server.
source "$EXPECT"
cd azureml-examples/cli
YAML=endpoints/online/managed/simple-flow/1-create-endpoint-with-blue.yml
export ENDPOINT_NAME=on-this-machine

# Deploy the model locally
az ml endpoint create --local -n $ENDPOINT_NAME -f $YAML > /dev/null

# Check if the local deployment succeeded
holds "$(az ml endpoint get-logs --local -n $ENDPOINT_NAME --deployment blue)" 'Init complete'

# Invoke the local endpoint
az ml endpoint invoke --local -n $ENDPOINT_NAME --request-file endpoints/online/model-1/sample-request.json > answer
equals "$(jq -r . answer)" '[485, 320]'
uri=$(az ml endpoint show --local -n $ENDPOINT_NAME --query scoring_uri -o tsv)
equals "$(curl --data @endpoints/online/model-1/sample-request.json "$uri")" '[485, 320]'

# Review the logs for output from the invoke operation
holds "$(az ml endpoint get-logs --local -n $ENDPOINT_NAME --deployment blue)" 'Request processed'

# Update it
sed -i 's/logging.info("Init complete")/&\n    logging.info("Updated successfully")/' endpoints/online/model-1/onlinescoring/score.py
az ml endpoint update --local -n $ENDPOINT_NAME -f $YAML > /dev/null
holds "$(az ml endpoint get-logs --local -n $ENDPOINT_NAME --deployment blue)" 'Updated successfully'

# What a local endpoint cannot do: a registered model, an endpoint of the server
sed 's/^    model:$/    model: azureml:model-1:1/; /^      name: model-1$/,/^      local_path: .*json$/d' $YAML > ${YAML%.yml}-registered.yml
refused az ml endpoint create --local -n $ENDPOINT_NAME-2 -f ${YAML%.yml}-registered.yml
holds "$(cat refused.err)" azureml:model-1:1
refused az ml endpoint show -n $ENDPOINT_NAME

az ml endpoint delete --local -n $ENDPOINT_NAME --yes
equals "$(az ml endpoint list --local --query "[?name=='$ENDPOINT_NAME']" -o tsv)" ''
echo 'the flow has ended well'
