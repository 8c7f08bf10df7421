"""What the daemon is sent: operations as the client library writes them, rendered before anything is measured."""

_LINE = (
    '{{"operation_id":"0f3a9c1122334455-1-{number}","timestamp_start":"2026-01-31T23:59:59.{micros:06}Z",'
    '"timestamp_end":"2026-01-31T23:59:59.{micros:06}Z","operation_type":"{operation}","workload_type":"s3",'
    '"object_key":"bucket/object-{number:09}","object_size_bytes":{size},"duration_ms":{duration},'
    '"throughput_mbps":{throughput},"success":true,"driver":"boto","user_id":"user-{user}"}}\n'
)
_OPERATIONS = ("upload", "download", "delete", "list", "head")


def duration_ms(number):
    """0.05 to 500 ms, even over the powers of two; the same ones for all ways of saying them."""
    return round(0.05 * 2 ** (number * 149 % 1000 * 13.3 / 1000), 6)


def size_bytes(number):
    return 4096 << (number % 11)


def usual_lines(count, operation_of=lambda number: _OPERATIONS[number % len(_OPERATIONS)]):
    """`count` lines of some 320 bytes."""
    return "".join(_usual_line(number, operation_of(number)) for number in range(count)).encode()


def _usual_line(number, operation):
    duration, size = duration_ms(number), size_bytes(number)
    return _LINE.format(
        number=number,
        micros=number % 1_000_000,
        operation=operation,
        size=size,
        duration=duration,
        throughput=size / 2**20 / (duration / 1000),
        user=number % 100,
    )


def hello(client_id="00112233445566778899aabbccddeeff"):
    """What opens a connection that sends batches of stream 0 from 1 on."""
    streams = '[{"stream":0,"first_seq":1}]'
    return f'{{"type":"hello","protocol":1,"client_id":"{client_id}","pid":1,"streams":{streams}}}\n'.encode()


def batches(rows_a_batch, count, operation_of=lambda number: _OPERATIONS[number % len(_OPERATIONS)]):
    """`count` batch lines, one after the other; their rows are the same, their sequence goes on."""
    names = sorted({operation_of(number) for number in range(rows_a_batch)})
    shared = ",".join(
        f'{{"operation_type":"{name}","workload_type":"s3","driver":"boto","success":true}}' for name in names
    )
    index = {name: place for place, name in enumerate(names)}
    rows = ",".join(
        f"[{index[operation_of(number)]},{int(duration_ms(number) * 1e6)},{size_bytes(number)},0]"
        for number in range(rows_a_batch)
    )
    fields = '["duration_ns","object_size_bytes","retry_count"]'
    tail = f'"count":{rows_a_batch},"shared":[{shared}],"fields":{fields},"rows":[{rows}]}}\n'
    for batch in range(count):
        yield f'{{"type":"batch","stream":0,"first_seq":{1 + batch * rows_a_batch},{tail}'.encode()
