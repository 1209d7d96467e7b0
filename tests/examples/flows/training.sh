# Training: a command job from a file, its log and output, the model registered.
source "$EXPECT"
cd azureml-examples/cli
az ml compute create --name cpu-cluster --type AmlCompute --min-instances 0 --max-instances 5 > /dev/null

# Submit a job, with an input of its own
job=$(az ml job create --file jobs/train/job.yml --set inputs.digits=1 --query name -o tsv)
holds "$(az ml job stream -n $job)" "fitted {'slope': 2.0, 'intercept': 1.0}"
az ml job show -n $job > job.json
equals "$(jq -r '.status, .experiment_name, .display_name' job.json | xargs)" 'Completed lines fit-a-line'
holds "$(az ml job list --query '[].name' -o tsv)" $job

# What it made
az ml job download --name $job --all --download-path fetched > /dev/null
equals "$(jq -c . "$(find fetched -name line.json)")" '{"slope":2,"intercept":1}'

# The model, registered from the job
az ml model create --name trained-line --version 1 --path azureml://jobs/$job/outputs/model > model.json
equals "$(jq -r '.name, .version' model.json | xargs)" 'trained-line 1'

# A job that fails says why, and one that is cancelled ends
sed 's/^command: .*/command: python -c "raise ValueError(12)"/' jobs/train/job.yml > jobs/train/wrong.yml
job=$(az ml job create --file jobs/train/wrong.yml --query name -o tsv)
refused az ml job stream -n $job
holds "$(az ml job show -n $job)" 'ValueError: 12'
sed 's/^command: .*/command: sleep 600/' jobs/train/job.yml > jobs/train/long.yml
job=$(az ml job create --file jobs/train/long.yml --query name -o tsv)
az ml job cancel -n $job > /dev/null
until [ "$(az ml job show -n $job --query status -o tsv)" = Canceled ]; do sleep 0.2; done

# What is not there yet is refused by its name
for type in sweep pipeline; do
  printf 'type: %s\n' $type > jobs/$type.yml
  refused az ml job create --file jobs/$type.yml
  holds "$(cat refused.err)" $type
done
echo 'the flow has ended well'
