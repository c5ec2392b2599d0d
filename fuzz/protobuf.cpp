// Bytes as an ONNX model: decoding, importing and inferring must end well or with an error.

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/onnx/import.h"
#include "ops/op.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  ReadLimits limits;
  limits.max_memory_bytes = uint64_t{16} << 20;
  limits.max_tensor_bytes = uint64_t{16} << 20;
  const auto file = MappedFile::of(std::as_bytes(std::span(data, size)));
  (void)onnx::looks_like_model(file->bytes());
  const auto model = onnx::decode_model(file->bytes(), limits);
  if (!model) return 0;
  const auto imported = onnx::import_model(*model, file, limits);
  if (!imported) return 0;
  Graph graph = *imported->graph;
  (void)infer_graph(graph).ok();
  return 0;
}
