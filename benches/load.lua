-- Sends the body in the file BODY as JSON, and prints what was measured as one line of JSON. PAUSE, in milliseconds, is the mean of what a
-- connection waits between an answer and its next request. PATHS are requested in turn, in the place of the URL's. With CHECK every
-- answer must say that its script succeeded: a call that was refused is answered with 200, too.
wrk.method = "POST"
local file = assert(io.open(os.getenv("BODY")))
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"

local pause = tonumber(os.getenv("PAUSE") or "0")
if pause > 0 then
    function delay()
        return math.floor(-math.log(1 - math.random()) * pause + 0.5)
    end
end

local requests = {}
function init()
    for path in (os.getenv("PATHS") or ""):gmatch("%S+") do
        table.insert(requests, wrk.format(nil, path))
    end
    if #requests > 0 then
        local last = 0
        request = function()
            last = last % #requests + 1
            return requests[last]
        end
    end
end

local threads = {}
if os.getenv("CHECK") then
    refused = 0
    function setup(thread)
        table.insert(threads, thread)
    end
    function response(status, headers)
        if headers["Syncano-Status"] ~= "success" and headers["syncano-status"] ~= "success" then
            refused = refused + 1
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    local others = 0
    for _, thread in ipairs(threads) do
        others = others + thread:get("refused")
    end
    io.write(string.format(
        '{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"mean":%f,"failed":%d,"refused":%d}\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50), latency:percentile(99), latency.mean,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout, others))
end
