#include "formats/format.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/byte_reader.h"
#include "codec/zip_writer.h"

namespace lanthorn {
namespace {

/// An archive of the lite interpreter with this data.pkl.
Result<FileContents> read_mobile(std::string_view data) {
  std::string file;
  ZipWriter writer([&](std::span<const std::byte> bytes) {
    file += as_text(bytes);
    return ok();
  });
  LAN_OK(writer.add("m/data.pkl", as_bytes(data)));
  LAN_OK(writer.add("m/bytecode.pkl", as_bytes("\x80\x02).")));
  LAN_OK(writer.add("m/version", as_bytes("3\n")));
  LAN_OK(writer.finish());
  return read_bytes(MappedFile::of(as_bytes(file)));
}

TEST(mobile, notes_say_what_loading_the_data_would_run) {
  const auto honest = read_mobile("\x80\x02}.");
  ASSERT_TRUE(honest.ok()) << honest.error().text();
  EXPECT_EQ(honest->format, "mobile");
  EXPECT_EQ(honest->notes.size(), 1U);
  const auto hostile = read_mobile("\x80\x02}Vx\ncposix\nsystem\n(Vls\ntRs.");
  ASSERT_TRUE(hostile.ok()) << hostile.error().text();
  EXPECT_TRUE(std::any_of(hostile->notes.begin(), hostile->notes.end(), [](const auto& note) {
    return note.find("posix.system") != note.npos;
  }));
}

}  // namespace
}  // namespace lanthorn
