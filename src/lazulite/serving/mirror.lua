-- Copies of requests, for a deployment that is tried with live traffic; its answers are dropped.
--
-- Loaded by HAProxy with the address where copies go. What a copy meets there (the deployment's
-- queue and limits) is the configuration's to say; here is that the caller never waits for it: a
-- copy is a task of its own, and one too many is dropped and counted.

local address = ...

local MOST_COPIES = 256           -- under way at a time
local MOST_BYTES = 64 * 1024 * 1024   -- held by them
local PATIENCE_S = 400            -- over every limit of a deployment: queue and run

local copies, bytes = 0, 0
local counts = {}

local function count(target, outcome)
  counts[target] = counts[target] or { answered = 0, failed = 0, dropped = 0, too_large = 0 }
  counts[target][outcome] = counts[target][outcome] + 1
end

local NOT_COPIED = {
  ["connection"] = true,
  ["content-length"] = true,
  ["expect"] = true,
  ["keep-alive"] = true,
  ["transfer-encoding"] = true,
  ["upgrade"] = true,
}

local function head(txn, target, length)
  local lines = { txn.sf:method() .. " " .. txn.sf:pathq() .. " HTTP/1.1" }
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_COPIED[name] then
      for _, value in pairs(values) do
        lines[#lines + 1] = name .. ": " .. value
      end
    end
  end
  lines[#lines + 1] = "content-length: " .. length
  lines[#lines + 1] = "connection: close"
  lines[#lines + 1] = "x-lazulite-copy: " .. target
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Send a copy, read the answer and drop it; true if all of one came.
local function exchange(request)
  local socket = core.tcp()
  socket:settimeout(PATIENCE_S)
  if not socket:connect(address) or not socket:send(request) then
    socket:close()
    return false
  end
  local status = socket:receive("*l")
  local answered = status ~= nil and status:find(" 200 ", 1, true) ~= nil
  while status and socket:receive(16384) do end
  socket:close()
  return answered
end

local function send(target, request)
  local fine, answered = pcall(exchange, request)
  copies, bytes = copies - 1, bytes - #request
  count(target, fine and answered and "answered" or "failed")
end

core.register_action("mirror", { "http-req" }, function(txn, target)
  local body = txn.sf:req_body() or ""
  local length = tonumber(txn.sf:req_hdr("content-length"))
  -- Only what fits the buffer is there; of a body in chunks nobody knows whether that is all.
  if (length and length ~= #body) or (not length and #body > 16384) then
    return count(target, "too_large")
  end
  local request = head(txn, target, #body) .. body
  if copies >= MOST_COPIES or bytes + #request > MOST_BYTES then
    return count(target, "dropped")
  end
  copies, bytes = copies + 1, bytes + #request
  core.register_task(send, target, request)
end, 1)

-- On the stats socket; a line for each count, from the start of this process.
core.register_cli({ "show", "copies" }, "show copies : what became of mirrored requests", function(applet)
  local lines = {}
  for target, outcomes in pairs(counts) do
    for outcome, number in pairs(outcomes) do
      lines[#lines + 1] = "copies " .. target .. " " .. outcome .. " " .. number .. "\n"
    end
  end
  applet:send(table.concat(lines))
end)
