/* The first instructions: the kernel is told not to read whatever lies around a page that is missing, and what a boot
   needs of this file is asked for at once, unless the last page of that is in memory already. Without this a cold start
   waits for megabytes of which it uses a tenth. A kernel that refuses these calls reads more. Where things lie says
   stub.ld. */

#define MADV_RANDOM 1
#define MADV_WILLNEED 3

    .section .text.edge_entry, "ax", %progbits
    .globl edge_entry
    .type edge_entry, %function

#if defined(__x86_64__)

.macro advise bytes, advice
    movl $28, %eax
    movl $edge_needed, %edi
    movl $\bytes, %esi
    movl $\advice, %edx
    syscall
.endm

edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    movl $27, %eax
    movl $edge_needed_last, %edi
    movl $1, %esi
    leaq -8(%rsp), %rdx
    movb $0, (%rdx)
    syscall
    testb $1, -8(%rsp)
    jnz 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    /* What the kernel leaves there for the C library: no function to call at exit. */
    xorl %edx, %edx
    jmp _start

#elif defined(__aarch64__)

.macro advise bytes, advice
    mov x8, #233
    ldr x0, =edge_needed
    ldr x1, =\bytes
    mov x2, #\advice
    svc #0
.endm

edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    mov x8, #232
    ldr x0, =edge_needed_last
    mov x1, #1
    str xzr, [sp, #-16]!
    mov x2, sp
    svc #0
    ldrb w2, [sp], #16
    tbnz w2, #0, 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    mov x0, #0
    b _start
    .ltorg

#elif defined(__arm__)

.macro advise bytes, advice
    mov r7, #220
    ldr r0, =edge_needed
    ldr r1, =\bytes
    mov r2, #\advice
    svc #0
.endm

    .arm
edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    mov r7, #219
    ldr r0, =edge_needed_last
    mov r1, #1
    mov r2, #0
    str r2, [sp, #-8]!
    mov r2, sp
    svc #0
    ldrb r2, [sp], #8
    tst r2, #1
    bne 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    mov r0, #0
    b _start
    .ltorg

#endif

    .section .note.GNU-stack, "", %progbits
