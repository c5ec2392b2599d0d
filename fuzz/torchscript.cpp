// Bytes as an archive of torch.jit.save: its pickles, its modules, and what its code makes of one tensor.
#include "formats/module_list.h"
#include "fuzz/read_all.h"

namespace lanthorn {
extern const Format format_torchscript;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  const auto contents = read_all(format_torchscript, std::as_bytes(std::span(data, size)));
  if (!contents || !contents->program) return 0;
  (void)list_modules(*contents->program);
  script::SignatureInput input;
  input.dtype = DType::kF32;
  input.hint = {2, 3};
  const script::EvaluationLimits limits{
      .max_steps = 2'000, .max_time = std::chrono::milliseconds(500), .max_items = 100'000};
  (void)script::evaluate(*contents->program, contents->program->method, {input}, limits);
  return 0;
}
