import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOf, difference } from './registry-counts.ts';

const text = (requests: number, mib: number): string => `# HELP registry_http_requests_total Total requests.
registry_http_in_flight_requests{handler="base"} 7
registry_http_requests_total{code="200",handler="base",method="get"} ${requests}
registry_http_requests_total{code="404",handler="blob",method="head"} 4
registry_http_request_size_bytes_bucket{handler="blob",le="100"} 9
registry_http_request_size_bytes_sum{handler="blob_upload_chunk"} ${mib * 1024 * 1024}
registry_http_request_size_bytes_count{handler="blob_upload_chunk"} 1
registry_http_response_size_bytes_sum{handler="blob"} 3.145728e+06
registry_http_response_size_bytes_sum{handler="manifest"} 1.048576e+06
`;

test('requests and bytes are summed over handlers, methods and codes', () => {
  assert.deepEqual(countsOf(text(3, 2)), { requests: 7, receivedMiB: 4, sentMiB: 2 });
});

test('a registry that was not asked yet has counted nothing', () => {
  assert.deepEqual(countsOf('go_goroutines 8\n'), { requests: 0, receivedMiB: 0, sentMiB: 0 });
});

test('a run has what came between two counts', () => {
  assert.deepEqual(difference(countsOf(text(3, 2)), countsOf(text(10, 5))), {
    requests: 7,
    receivedMiB: 0,
    sentMiB: 3,
  });
});
