// RegexFullMatch: https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html

#include "ops/numbers_shared.h"
#include "ops/regex_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_OK(Regex::parse(c.attributes().text("pattern", "")));
  c.set_output(0, DType::kBool, c.dims(0));
  return ok();
}

Status reference(const RunContext& c) {
  LAN_TRY(const Regex regex, Regex::parse(c.attributes().text("pattern", "")));
  const auto to = c.output(0).as<uint8_t>();
  const auto texts = c.input(0).as<std::string>();
  for (size_t i = 0; i < texts.size(); ++i) to[i] = regex.matches_whole(texts[i]) ? 1 : 0;
  return ok();
}

}  // namespace

extern constinit const OpDef op_regex_full_match{
    .name = "RegexFullMatch",
    .since = 20,
    .inputs = {{"X", kStringType}},
    .outputs = {{"Y", kBoolType}},
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
