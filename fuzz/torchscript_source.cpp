// Source text of an archive's code: parses it, and evaluates the class M that it may hold on one
// tensor.
#include <cstddef>
#include <cstdint>
#include <string>

#include "script/class_table.h"
#include "script/parser.h"
#include "script/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  if (size > 100'000) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!script::parse_file(text)) return 0;

  script::CodeSource code;
  code.files = {"code/__torch__.py"};
  code.read = [&text](const std::string&) -> Result<std::string> { return text; };
  script::Program program;
  program.classes = std::make_shared<script::ClassTable>(std::move(code));
  const auto type = program.classes->find_class("__torch__.M");
  if (!type) return 0;
  auto root = std::make_shared<script::Object>();
  root->type = *type;
  program.root = std::move(root);
  script::SignatureInput input;
  input.dtype = DType::kF32;
  input.hint = {2, 3};
  const script::EvaluationLimits limits{
      .max_steps = 2'000, .max_time = std::chrono::milliseconds(500), .max_items = 100'000};
  (void)script::evaluate(program, "forward", {input}, limits);
  return 0;
}
