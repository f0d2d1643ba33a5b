-- Load of the measure `ingest` for wrk: unique ids; every 50th event breaks its schema. SALT and KEY come from the environment.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  sent = 0
  head = { ["Content-Type"] = "application/cloudevents+json", ["Authorization"] = "Bearer " .. os.getenv("KEY") }
  before_id = string.format('{"specversion":"1.0","id":"%08x-%04x-4000-8000-', tonumber(os.getenv("SALT")), number)
  before_quantity = '","type":"pos.sale","source":"pos/store-0042/till-3","time":"2026-11-21T10:11:12.345Z",'
    .. '"datacontenttype":"application/json","data":{"store":"0042","receipt":"R-20261121-0042-00000123","lines":['
    .. '{"gtin":"04012345678905","sku":"SKU-004711-WINTER-JACKET-BLUE-00","qty":'
  rest = ',"uom":"EA","price":"19.99"},'
    .. '{"gtin":"04012345678912","sku":"SKU-004712-WINTER-JACKET-BLUE-01","qty":2,"uom":"CS","price":"9.99"},'
    .. '{"gtin":"04012345678929","sku":"SKU-004713-WINTER-JACKET-BLUE-02","qty":1,"uom":"KG","price":"20.00"}],'
    .. '"total":"59.97","currency":"EUR","customer":null}}'
end

function request()
  sent = sent + 1
  local quantity = sent % 50 == 0 and "0" or "1"
  local body = before_id .. string.format("%012x", sent) .. before_quantity .. quantity .. rest
  return wrk.format("POST", nil, head, body)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"refused":%d,"failed":%d,"us":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max))
end
