# Batch endpoints of June 2021: one file, jobs over every kind of input, a second deployment, REST.
source "$EXPECT"
PUBLISHED=https://pipelinedata.blob.core.windows.net/sampledata
TAXI=$PUBLISHED/nytaxi/taxi-tip-data.csv
cd azureml-examples
without_packages cli/endpoints/batch

# Prerequisites
az version > version.json
equals "$(jq -r '."azure-cli-core" | type' version.json)" string
az upgrade --yes
az extension add -n ml

# Create a compute target
az ml compute create --name cpu-cluster --type AmlCompute --min-instances 0 --max-instances 5 > compute.json
equals "$(jq -r .provisioning_state compute.json)" Succeeded

# Create a batch endpoint
az ml endpoint create --type batch --file cli/endpoints/batch/create-batch-endpoint.yml > endpoint.json
equals "$(jq -r .name endpoint.json)" mybatchedp

# Check batch endpoint details
az ml endpoint show --name mybatchedp --type batch > endpoint.json
equals "$(jq -r '.traffic."autolog-deployment", .auth_mode, (.deployments | length)' endpoint.json | xargs)" '100 aad_token 1'

# Add a deployment, and activate it
az ml endpoint update --name mybatchedp --type batch --deployment-file cli/endpoints/batch/add-deployment.yml > endpoint.json
az ml endpoint show --name mybatchedp --type batch > endpoint.json
equals "$(jq -c '[.traffic."autolog-deployment", .deployments[].name]' endpoint.json)" '[100,"autolog-deployment","mnist-deployment"]'
az ml endpoint update --name mybatchedp --type batch --traffic mnist-deployment:100 > endpoint.json
equals "$(az ml endpoint show --name mybatchedp --type batch --query 'traffic."mnist-deployment"' -o tsv)" 100

# Start a job: the published folder, with settings of its own
az ml endpoint invoke --name mybatchedp --type batch --input-path $PUBLISHED/mnist --mini-batch-size 10 --instance-count 2 > job.json
holds "$(jq -r .interactionEndpoints.Studio.endpoint job.json)" http
job_name=$(jq -r .name job.json)

# Check the progress
az ml job stream --name $job_name > log
az ml job show --name $job_name > job.json
equals "$(jq -r .status job.json)" Completed

# Check the results
equals "$(rows $job_name predictions.csv | head -n 2 | xargs)" '0.pgm: 0 1.pgm: 1'
equals "$(rows $job_name predictions.csv | wc -l)" 10

# Other inputs: registered data, a datastore, local files
mkdir images && curl -o images/four.pgm "$SAMPLEDATA/mnist/4.pgm"
printf 'name: preview-digits\nversion: 1\nlocal_path: images\n' > digits.yml
az ml data create --file digits.yml > /dev/null
az storage blob upload-batch --account-name "$(az ml workspace show --query storage_account -o tsv | sed 's:.*/::')" \
  -d azureml-blobstore/preview/digits -s images > /dev/null
one=$(az ml endpoint invoke --name mybatchedp --type batch --input-data azureml:preview-digits:1 --query name -o tsv)
two=$(az ml endpoint invoke --name mybatchedp --type batch --input-datastore azureml:workspaceblobstore --input-path preview/digits --query name -o tsv)
three=$(az ml endpoint invoke --name mybatchedp --type batch --input-local-path images --query name -o tsv)
for each in $one $two $three; do
  az ml job stream --name $each > log
  equals "$(rows $each predictions.csv)" 'four.pgm: 4'
done

# Configure the output location, and overwrite settings
job_name=$(az ml endpoint invoke --name mybatchedp --type batch --input-path $PUBLISHED/mnist/7.pgm --output-datastore azureml:workspaceblobstore --output-path mypath --set output_file_name=mypredictions.csv --set retry_settings.max_retries=1 --query name -o tsv)
az ml job stream --name $job_name > log
equals "$(rows $job_name mypredictions.csv)" '7.pgm: 7'
again=$(az ml endpoint invoke --name mybatchedp --type batch --input-path $TAXI --output-datastore azureml:workspaceblobstore --output-path mypath --set output_file_name=mypredictions.csv --query name -o tsv)
refused az ml job stream --name $again
holds "$(az ml job show --name $again)" mypath/mypredictions.csv

# Start a job using REST; here the token has to be one for machine learning
scoring_uri=$(az ml endpoint show --name mybatchedp --type batch --query scoring_uri -o tsv)
auth_token=$(az account get-access-token --query accessToken -o tsv)
start() {
  curl --location --request POST "$scoring_uri" --header "Authorization: Bearer $auth_token" --header 'Content-Type: application/json' --data-raw '{
"properties": {
  "dataset": {
    "dataInputType": "DataUrl",
    "Path": "https://pipelinedata.blob.core.windows.net/sampledata/mnist"
    }
  }
}'
}
holds "$(start)" https://ml.azure.com
auth_token=$(az account get-access-token --resource https://ml.azure.com --query accessToken -o tsv)
start > job.json
az ml job stream --name "$(jq -r .name job.json)" > log
equals "$(rows "$(jq -r .name job.json)" predictions.csv | tail -n 1)" '9.pgm: 9'
equals "$(az ml endpoint list-jobs --type batch --name mybatchedp --query 'length(@)' -o tsv)" 7

# Clean up
az ml endpoint delete --name mybatchedp --type batch --yes
refused az ml endpoint show --name mybatchedp --type batch
equals "$(az ml job show --name $job_name --query status -o tsv)" Completed
az group create -n flow-group -l local > /dev/null
az group delete -n flow-group --yes
refused az group show -n flow-group
echo 'the flow has ended well'
